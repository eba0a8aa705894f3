package main

import (
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/pg"
)

// A token that lies in the database says nothing of whether this machine reaches the platform, or whether the secret is still good.
func TestDoctorAsksThePlatformThoughATokenIsStored(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	s.ok("", "migrate")
	for name, value := range map[string]string{
		"APP_ID": "wx1", "APP_SECRET": "s", "TOKEN": "t", "MODE": "plain", "API_URL": "http://127.0.0.1:1", // nobody is there
	} {
		s.env["NONGXUN_WECHAT_"+name] = value
	}
	s.env["NONGXUN_DATA_DIR"] = t.TempDir()
	pool, err := pg.Open(t.Context(), s.env["NONGXUN_DATABASE_URL"])
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	if err := outbox.NewTokens(pool, nil).Put(t.Context(), "wechat:stable_token:wx1", "T1", time.Hour); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := s.run("", "doctor"); code == 0 || !strings.Contains(out, "WHITE") && !strings.Contains(out, "white-list") {
		t.Errorf("status %d:\n%s", code, out)
	}
}
