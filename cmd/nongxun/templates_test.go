package main

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/sms"
)

type noTexts struct{ sent int }

func (n *noTexts) Name() string { return "none" }
func (n *noTexts) Send(_ context.Context, batch []sms.Outgoing) []sms.Result {
	n.sent += len(batch)
	return make([]sms.Result, len(batch))
}

// What docs/设置.md gives as the example of a template, and of a notice, must carry a price push to a phone.
func TestTheTemplatesOfTheManualCarryAPush(t *testing.T) {
	manual, err := os.ReadFile("../../docs/设置.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, example := range map[string]string{
		"WECHAT_TEMPLATES": regexp.MustCompile("`(price=TM00123[^`]*)`").FindStringSubmatch(string(manual))[1],
		"WECHAT_NOTICES":   regexp.MustCompile("`(price=TM00456[^`]*)`").FindStringSubmatch(string(manual))[1],
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"NONGXUN_DATA_DIR": "/var/lib/nongxun", "NONGXUN_" + name: example}
			s, err := loadSettings(func(n string) (string, bool) { v, ok := env[n]; return v, ok })
			if err != nil {
				t.Fatal(err)
			}
			o := emulator.WeChatOptions{AppID: testAppID, AppSecret: "secret", Token: testToken, Mode: emulator.ModePlain}
			form := func(x outbox.Template) (out emulator.Template) {
				out.ID, out.Title = x.ID, "行情"
				for own := range x.Keywords {
					out.Fields = append(out.Fields, emulator.TemplateField{Key: own, Label: own})
				}
				return out
			}
			for _, x := range s.WeChat.Templates {
				o.Templates = append(o.Templates, form(x))
			}
			for _, x := range s.WeChat.Notices {
				o.Notices = append(o.Notices, emulator.NoticeTemplate{Template: form(x), LongTerm: x.Always})
			}
			platform, err := emulator.NewWeChat(o)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(platform.Close)
			api := httptest.NewServer(platform.Handler())
			t.Cleanup(api.Close)
			pool := pgtest.New(t)
			quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
			client := bot.NewClient(bot.ClientConfig{AppID: testAppID, AppSecret: "secret", BaseURL: api.URL})
			t.Cleanup(client.Close)
			texts := &noTexts{}
			all := map[outbox.Slot]outbox.Hours{}
			for slot := range outbox.DefaultHours() {
				all[slot] = outbox.Hours{From: 0, To: 24}
			}
			out := outbox.New(outbox.Options{Pool: pool, WeChat: client, SMS: texts, Templates: s.WeChat.Templates, Notices: s.WeChat.Notices, Hours: all, Log: quiet})
			const openid = "oFan000000000000000000000000"
			platform.Befriend(openid)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan struct{})
			go func() { defer close(done); _ = out.Run(ctx) }()
			defer func() { cancel(); <-done }()
			c, err := people.Create(ctx, pool, people.OpenID, openid, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if _, err = pool.Exec(ctx, `UPDATE contact SET phone = '13900000001' WHERE id = $1`, c.ID); err != nil {
				t.Fatal(err)
			}
			for _, x := range s.WeChat.Notices { // the person has agreed, on both sides
				_ = platform.Consent(ctx, openid, true, x.ID)
				var b pgx.Batch
				out.QueueConsent(&b, openid, x.ID, true, time.Now())
				if err := pool.SendBatch(ctx, &b).Close(); err != nil {
					t.Fatal(err)
				}
			}
			day := time.Now()
			push := writing.PriceBulletin([]writing.Quote{{Product: "黄桃", Market: "红星", Avg: 7, Unit: "元/公斤", Day: day}})
			if err := pg.InTx(ctx, pool, func(tx pgx.Tx) error {
				_, err := outbox.Put(ctx, tx, day, outbox.Delivery{Cause: "price:1", ContactID: c.ID, Class: outbox.Notice, Text: push.Text, Template: "price", Fields: push.Fields})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			out.Wake()
			var state, reason, code string
			for range 100 {
				time.Sleep(100 * time.Millisecond)
				if err := pool.QueryRow(ctx, `SELECT d.state, d.reason, coalesce((SELECT code FROM call ORDER BY started_at DESC LIMIT 1), '') FROM delivery d`).Scan(&state, &reason, &code); err != nil {
					t.Fatal(err)
				}
				if state != "queued" && state != "sending" {
					break
				}
			}
			n := platform.Counts(openid)
			if n.Template+n.Notice == 0 {
				t.Errorf("%s: the push reached nobody: %s %s %s, %d texts", example, state, reason, code, texts.sent)
			}
		})
	}
}
