package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/outbox"
)

type menuVerb struct{}

// Run gives the service account its menu. Phones show it within five minutes.
func (menuVerb) Run(ctx context.Context, w *world) error {
	return withDatabase(ctx, w, func(s settings, db *database) error {
		if s.WeChat.AppID == "" {
			return settingError{"NONGXUN_WECHAT_APP_ID", "is missing; it should be the service account's AppID"}
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		if err := s.wechatClient(db, w).SetMenu(ctx, menu()); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w.stdout, "the menu is set")
		return err
	})
}

// wechatClient speaks to the platform for a verb.
func (s settings) wechatClient(db *database, w *world) *bot.Client {
	return bot.NewClient(bot.ClientConfig{
		AppID: s.WeChat.AppID, AppSecret: s.WeChat.AppSecret, BaseURL: s.WeChat.APIURL, Store: outbox.NewTokens(db.pool, time.Now), Now: time.Now, Log: w.log,
	})
}

type qrVerb struct {
	Scene string `arg:"" help:"What the code says of itself, such as station-430225-01: at most 64 letters, digits and signs."`
}

// Run makes a QR code that leads to the account and tells where it hangs, for a poster in a village shop. It stays valid.
func (v qrVerb) Run(ctx context.Context, w *world) error {
	if v.Scene == "" || len(v.Scene) > 64 {
		return errors.New("the scene should have 1 to 64 characters")
	}
	return withDatabase(ctx, w, func(s settings, db *database) error {
		if s.WeChat.AppID == "" {
			return settingError{"NONGXUN_WECHAT_APP_ID", "is missing; it should be the service account's AppID"}
		}
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		ticket, address, err := s.wechatClient(db, w).SceneQR(ctx, v.Scene, 0)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w.stdout, "the code's content: %s\nits picture: %s\n", address, bot.QRImageURL(ticket))
		return err
	})
}
