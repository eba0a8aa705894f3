package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBothPhonesInABrowser drives the demo as a visitor does: a farmer chats on one phone, a broker texts on the other, over the real
// protocols, and what the bureau sees follows. Screenshots go to the folder that NONGXUN_SCREENSHOTS names.
func TestBothPhonesInABrowser(t *testing.T) {
	server, err := startDemoServer(t.Context(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.close() })
	err = withDemo(t.Context(), server, slog.New(slog.DiscardHandler), demoDay, func(d *demo) error {
		page := httptest.NewServer(d.emulator.PageHandler())
		defer page.CloseClientConnections()
		v := visit(t, page.URL)
		v.do("the page", v.has("body.ready h1", "农讯演示"), v.has(".table.quotes", "长沙红星"))
		v.do("follow", chromedp.Click("#wx-follow"), v.has("#wx-menu", "查行情"), chromedp.Click("#wx-to-keyboard"))
		v.chat("黄桃五千斤,3块5一斤,炎陵中村乡的", "登记好了:供应 黄桃 5000斤,3.5元/斤,炎陵县中村")
		v.do("the bureau sees it", v.has(".table.listings", "5000斤"))
		v.chat("2", "多少钱")
		v.chat("三块二", "3.2元/斤")
		v.do("the bureau sees the new price", v.has(".table.listings", "3.2元/斤"))
		v.chat("脐橙多少钱", "4.8元/公斤")
		v.text("收冬笋 2000斤 12块一斤 长沙要", "登记好了:求购 冬笋")
		v.do("the bureau sees the demand", v.has(".table.listings", "冬笋"))
		v.chat("我要报名对接会", "种养大户")
		v.chat("1", "名")
		v.chat("罗桂香", "手机号")
		v.chat("13900001001", "报上名了:2026年冬季")
		v.do("the bureau sees the sign-up", v.has(".table.signups", "罗桂香"))
		v.shot("demo")
		v.do("a broker on the carrier line", chromedp.Click("#sms-people button:nth-child(6)"), v.has("#sms-title", demoNumber))
		v.text("供应 脐橙 2万斤 2块8 茶陵枣市,树上现摘,个头大又甜,可以看样,也可以开车来拉,路好走,大车进得来,要得多价钱好商量,有意的老板请给我回信", "【湖南省商务厅】登记好了:供应 脐橙 2万斤")
		v.do("the bureau sees the long text", v.has(".table.listings", "脐橙"))
		v.do("a question by menu", chromedp.Click("#wx-to-menu"), chromedp.Click("#wx-menu > button:nth-child(2)"), v.has("#wx-feed .theirs", "哪样东西的价格"))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// visitor is a headless Chromium on the demo page.
type visitor struct {
	t   *testing.T
	ctx context.Context
}

func visit(t *testing.T, address string) *visitor {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("this test drives the page in Chromium, which is not installed: apt-get install -y chromium fonts-wqy-microhei")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1360, 860),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	ctx, cancel = context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancel)
	v := &visitor{t, ctx}
	v.do("open", chromedp.EmulateViewport(1360, 860), chromedp.Navigate(address))
	return v
}

func (v *visitor) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.ctx, steps...); err != nil {
		v.shot("failed")
		v.t.Fatalf("%s: %v", what, err)
	}
}

// has waits until a part of the page holds a text.
func (v *visitor) has(selector, text string) chromedp.Action[chromedp.Void] {
	poll := chromedp.Poll[bool](fmt.Sprintf("[...document.querySelectorAll(%q)].some(n => n.textContent.includes(%q))", selector, text),
		chromedp.WithPollingTimeout(15*time.Second))
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		if _, err := poll(ctx, target); err != nil {
			return fmt.Errorf("waiting for %q: %w", text, err)
		}
		return nil
	})
}

func (v *visitor) chat(text, answer string) {
	v.t.Helper()
	v.do(text, chromedp.SendKeys("#wx-text", text), chromedp.Click("#wx-send"), v.has("#wx-feed .mine", text), v.has("#wx-feed .theirs", answer))
}

func (v *visitor) text(text, answer string) {
	v.t.Helper()
	v.do(text, chromedp.SendKeys("#sms-text", text), chromedp.Click("#sms-send"), v.has("#sms-feed .mine", text), v.has("#sms-feed .theirs", answer))
}

func (v *visitor) shot(name string) {
	dir := os.Getenv("NONGXUN_SCREENSHOTS")
	if dir == "" {
		dir = v.t.TempDir()
	}
	png, err := chromedp.Run(v.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)
	}
	if err != nil {
		v.t.Error(err)
	}
}
