package emulator

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium. Its screenshots go to the folder NONGXUN_SCREENSHOTS names, else to the test's own.
func browser(t *testing.T, width, height int) (context.Context, func(name string)) {
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
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() { _ = chromedp.Cancel(ctx); cancel() })
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	dir := os.Getenv("NONGXUN_SCREENSHOTS")
	if dir == "" {
		dir = t.TempDir()
	}
	return ctx, func(name string) {
		t.Helper()
		png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// bureauRows stands for the service's database.
type bureauRows struct {
	mu   sync.Mutex
	view BureauView
}

func (b *bureauRows) read(context.Context) (BureauView, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view, nil
}

func (b *bureauRows) talk(kind, text string) string {
	answer := farmTalk(kind, text)
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.HasPrefix(answer, "登记好了") {
		row := BureauListing{Time: "09:30", Kind: "供应", Status: "在售", Product: "黄桃", Quantity: "5000斤", Price: "3.5元/斤", Place: "炎陵县中村乡", Contact: "13912345678", Channel: "微信"}
		if kind == "sms" {
			row.Kind, row.Channel, row.Quantity = "求购", "短信", "2万斤"
		}
		b.view.Listings = append([]BureauListing{row}, b.view.Listings...)
	}
	return answer
}

func seenRows() BureauView {
	v := BureauView{
		Listings: []BureauListing{{Time: "昨天", Kind: "求购", Status: "在售", Product: "冬笋", Quantity: "3000斤", Price: "面议", Place: "长沙市", Contact: "138****0012", Channel: "短信"}},
		SignUps:  []BureauSignUp{{Time: "11月20日", Fair: "2026年冬季对接会", Name: "炎陵神农合作社", Type: "合作社", Region: "炎陵县", Products: "黄桃、冬笋", Channel: "微信"}},
	}
	for i, p := range []string{"黄桃", "冬笋", "脐橙", "生姜", "茶油"} {
		v.Quotes = append(v.Quotes, BureauQuote{Day: "11-24", Market: "红星大市场", Product: p, Price: fmt.Sprintf("%d.50", i+3), Unit: "元/公斤"})
	}
	v.Deliveries = []BureauDelivery{{Time: "09:12", Channel: "短信", Contact: "138****0012", Kind: "回复", State: "已送达", Text: "登记好了:求购 冬笋 3000斤,要您电话联系吗"}, {Time: "09:10", Channel: "微信", Contact: "oABC****wxyz", Kind: "通知", State: "未知", Text: "黄桃 3.50元/公斤 红星大市场"}}
	return v
}

func startPage(t *testing.T) (*Emulator, string, *atomic.Int64) {
	t.Helper()
	rows := &bureauRows{view: seenRows()}
	s := newService(t, ModeSecure, rows.talk)
	var days atomic.Int64
	e := emulate(t, s, func(o *Options) {
		o.Now = func() time.Time { return time.Now().Add(time.Duration(days.Load()) * 24 * time.Hour) }
		o.Page = PageOptions{
			Account: "炎陵农讯", Bureau: rows.read, Refresh: 200 * time.Millisecond,
			Actions: []Action{
				{Key: "day", Label: "过一天", Do: func(context.Context) error { days.Add(1); return nil }},
				{Key: "prices", Label: "推送今天的行情", Do: func(context.Context) error { return fmt.Errorf("今天还没有新行情") }},
			},
		}
	})
	e.WeChat.setMenu([]Button{
		{Name: "我要卖", Type: "click", Key: "sell"},
		{Name: "查行情", Type: "click", Key: "price"},
		{Name: "我的", Sub: []Button{{Name: "我的信息", Type: "click", Key: "mine"}, {Name: "报名对接会", Type: "click", Key: "fair"}, {Name: "人工", Type: "click", Key: "person"}}},
	})
	page := httptest.NewServer(e.PageHandler())
	t.Cleanup(page.Close)
	return e, page.URL, &days
}

// has waits until a part of the page holds a text.
func has(selector, text string) chromedp.Action[chromedp.Void] {
	return chromedp.Steps(ignore(chromedp.Poll[bool](
		fmt.Sprintf("[...document.querySelectorAll(%q)].some(n => n.textContent.includes(%q))", selector, text),
		chromedp.WithPollingTimeout(15*time.Second))))
}

func ignore[T any](a chromedp.Action[T]) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := a(ctx, t)
		if err != nil {
			return fmt.Errorf("waiting: %w", err)
		}
		return nil
	})
}

func do(t *testing.T, ctx context.Context, what string, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestPageOnADesk(t *testing.T) {
	e, address, days := startPage(t)
	ctx, shot := browser(t, 1280, 860)
	do(t, ctx, "open", chromedp.EmulateViewport(1280, 860), chromedp.Navigate(address), has("body.ready h1", "农讯演示"), has("#wx-bar", "关注公众号"))
	shot("desk-1-start")
	do(t, ctx, "follow", chromedp.Click("#wx-follow"), has("#wx-feed .theirs", "欢迎关注农讯"), has("#wx-menu", "查行情"))
	do(t, ctx, "sell", chromedp.Click("#wx-to-keyboard"), chromedp.SendKeys("#wx-text", "黄桃5000斤,3块5一斤"), chromedp.Click("#wx-send"),
		has("#wx-feed .mine", "黄桃5000斤"), has("#wx-feed .theirs", "登记好了"), has(".table.listings", "139****5678"))
	do(t, ctx, "broker", chromedp.SendKeys("#sms-text", "求购黄桃2万斤,3块2左右,要炎陵的"), has("#sms-counter", "18 字 · 1 条"))
	shot("desk-2-typing")
	do(t, ctx, "broker sends", chromedp.Click("#sms-send"), has("#sms-feed .theirs", "【示例县商务局】登记好了"), has(".table.listings", "2万斤"))
	do(t, ctx, "voice", chromedp.Click("#wx-to-voice"), chromedp.Click("#wx-hold"), chromedp.SendKeys("#sheet input", "我屋里有黄桃三千斤"),
		chromedp.Click("#voice-send"), has("#wx-feed .mine .spoken", "三千斤"))
	do(t, ctx, "picture", chromedp.Click("#wx-plus"), chromedp.Click("#wx-panel button"), chromedp.WaitVisible("#sheet .album"))
	shot("desk-3-album")
	do(t, ctx, "picture sent", chromedp.Click("#sheet .album button"), has("#wx-feed .theirs", "照片收到了"), chromedp.WaitVisible("#wx-feed .picture img"))
	do(t, ctx, "menu", chromedp.Click("#wx-to-menu"), chromedp.Click("#wx-menu > button:last-child"), has(".popup", "报名对接会"))
	shot("desk-4-menu")
	do(t, ctx, "menu item", chromedp.Click(".popup .item:nth-child(2)"), has("#wx-feed .theirs", "您点了 fair"))

	p, _ := e.phones.byID("p1")
	e.phones.show(p.ID, Bubble{
		Channel: ChannelWeChat, From: FromService, Kind: "template", Title: "行情通知", URL: "https://example.com",
		Fields: []BubbleField{{"品种", "黄桃"}, {"价格", "3.50元"}, {"日期", "2026-11-24"}},
	})
	do(t, ctx, "a day", has("#wx-feed .template", "3.50元"), chromedp.Click("[data-action=day]"), has("#toast", "过一天"))
	if days.Load() != 1 {
		t.Errorf("the clock moved %d days", days.Load())
	}
	do(t, ctx, "an action that fails", chromedp.Click("[data-action=prices]"), has("#toast", "今天还没有新行情"))
	do(t, ctx, "time passed", has("#wx-feed time", "昨天"))
	shot("desk-5-later")
	do(t, ctx, "someone else", chromedp.Click("#wx-people [data-person=p2]"), has("#wx-feed", "老周还没有关注"))
	do(t, ctx, "one more", chromedp.Click("#sms-people .add"), chromedp.SendKeys("#sheet input", "小王<b>"), chromedp.Click("#sheet .primary"), has("#sms-people [aria-pressed=true]", "小王<b>"))
	if n := e.WeChat.Counts(p.OpenID).Passive; n < 5 {
		t.Errorf("only %d passive replies reached the phone", n)
	}
}

func TestPageOnAPhone(t *testing.T) {
	_, address, _ := startPage(t)
	ctx, shot := browser(t, 390, 844)
	do(t, ctx, "open", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile), chromedp.Navigate(address), has("body.ready #wx-bar", "关注公众号"))
	do(t, ctx, "follow", chromedp.Click("#wx-follow"), has("#wx-feed .theirs", "欢迎关注农讯"), chromedp.Click("#wx-to-keyboard"),
		chromedp.SendKeys("#wx-text", "黄桃5000斤,3块5一斤"), chromedp.Click("#wx-send"), has("#wx-feed .theirs", "登记好了"))
	shot("phone-1-wechat")
	do(t, ctx, "sms", chromedp.Click(".tabs [data-go=sms]"), chromedp.SendKeys("#sms-text", "求购黄桃2万斤"), chromedp.Click("#sms-send"), has("#sms-feed .theirs", "登记好了"))
	shot("phone-2-sms")
	do(t, ctx, "bureau", chromedp.Click(".tabs [data-go=bureau]"), chromedp.WaitVisible(".table.quotes"), has(".table.listings", "2万斤"))
	shot("phone-3-bureau")
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int]("Math.max(...[...document.querySelectorAll('body, main, .bureau, .table')].map(n => n.scrollWidth))"))
	if err != nil || wide > 390 {
		t.Errorf("the page is %d pixels wide on a phone of 390 (%v)", wide, err)
	}
}
