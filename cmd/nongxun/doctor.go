package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/cmpp"
	"github.com/nongxun/nongxun/sms/smpp"
)

type doctorVerb struct {
	Callback string `help:"The public base address of this service (https://…), to try whether it is reached from here." placeholder:"URL"`
}

// finding is what a check found: nil is ok, an error says what is wrong and what to do.
type finding struct {
	what string
	err  error
}

const leastFree = 1 << 30 // bytes on the data directory's disk

// Run checks one thing after another and prints a line for each. Any that is wrong makes the status 1.
func (d *doctorVerb) Run(ctx context.Context, w *world) error {
	s, err := loadSettings(w.env)
	findings := []finding{{"settings", err}}
	if err == nil {
		findings = append(findings, d.examine(ctx, s, w)...)
	}
	bad := false
	for _, f := range findings {
		line := "ok"
		if f.err != nil {
			line, bad = f.err.Error(), true
		}
		if _, err = fmt.Fprintf(w.stdout, "%-12s %s\n", f.what, line); err != nil {
			return err
		}
	}
	if bad {
		return errSaid
	}
	return nil
}

func (d *doctorVerb) examine(ctx context.Context, s settings, w *world) []finding {
	out := []finding{{"disk", checkDisk(s.DataDir)}}
	db, err := openDatabase(ctx, s, w.log)
	if err != nil {
		return append(out, finding{"database", fmt.Errorf("%w; check NONGXUN_DATABASE_URL, or leave it empty for a private server", err)})
	}
	out = append(out, finding{"database", nil}, finding{"migrations", checkMigrations(ctx, db)}, finding{"clock", checkClock(ctx, db)})
	texts := s.CMPP.Addr != "" || s.SMPP.Addr != "" || s.Aliyun.AccessKeyID != ""
	switch {
	case s.WeChat.AppID != "":
		out = append(out, finding{"wechat", checkWeChat(ctx, s, w)})
	case texts:
		out = append(out, finding{"wechat (off)", nil})
	default:
		out = append(out, finding{"wechat", errors.New("off, and so are texts: set NONGXUN_WECHAT_APP_ID and its companions, or those of a line for texts")})
	}
	if s.CMPP.Addr != "" {
		out = append(out, finding{"cmpp", checkCMPP(ctx, s.CMPP)})
	}
	if s.SMPP.Addr != "" {
		out = append(out, finding{"smpp", checkSMPP(ctx, s.SMPP)})
	}
	switch {
	case s.Aliyun.AccessKeyID != "":
		out = append(out, finding{"aliyun", checkAliyun(ctx, s.Aliyun)})
	case !texts:
		out = append(out, finding{"texts (off)", nil})
	}
	if d.Callback != "" {
		out = append(out, finding{"callback", checkCallback(ctx, d.Callback)})
	}
	if err = db.close(); err != nil {
		out = append(out, finding{"database", err})
	}
	return out
}

func checkDisk(dir string) error {
	for { // the directory may not be there before the first start: its nearest parent tells
		var st syscall.Statfs_t
		err := syscall.Statfs(dir, &st)
		if err == nil {
			if free := st.Bavail * uint64(st.Bsize); free < leastFree { //nolint:gosec,unconvert // sizes are not negative
				return fmt.Errorf("only %d MiB free for NONGXUN_DATA_DIR; make room for at least 1 GiB", free>>20)
			}
			return nil
		}
		if !errors.Is(err, os.ErrNotExist) || dir == filepath.Dir(dir) {
			return fmt.Errorf("NONGXUN_DATA_DIR can't be looked at: %w", err)
		}
		dir = filepath.Dir(dir)
	}
}

func checkMigrations(ctx context.Context, db *database) error {
	return pg.Pending(ctx, db.pool, schema()...) // it says what to do
}

func checkClock(ctx context.Context, db *database) error {
	var there time.Time
	if err := db.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&there); err != nil {
		return err
	}
	if d := time.Since(there).Abs(); d > 5*time.Second {
		return fmt.Errorf("this machine and the database differ by %s; set both by NTP (the platforms refuse stale signatures)", d.Round(time.Second))
	}
	return nil
}

// checkWeChat asks the platform for the token, whether or not one is stored: it hands out the same one as long as that is good.
func checkWeChat(ctx context.Context, s settings, w *world) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	client := bot.NewClient(bot.ClientConfig{AppID: s.WeChat.AppID, AppSecret: s.WeChat.AppSecret, BaseURL: s.WeChat.APIURL, Now: time.Now, Log: w.log})
	defer client.Close()
	if _, err := client.Token(ctx); err != nil {
		return fmt.Errorf("%w; check NONGXUN_WECHAT_APP_SECRET, the IP white-list of the account, and the way to NONGXUN_WECHAT_API_URL", err)
	}
	return nil
}

func checkAliyun(ctx context.Context, a aliyunSettings) error {
	switch {
	case len(a.CallbackSecrets) == 0:
		return errors.New("NONGXUN_ALIYUN_CALLBACK_SECRET is missing: texts and receipts are refused; set a long random word")
	case len(a.Templates) == 0:
		return errors.New("NONGXUN_ALIYUN_TEMPLATES is missing: no text can go out; see docs/短信模板.md")
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return reach(ctx, a.Endpoint, "check the way to NONGXUN_ALIYUN_ENDPOINT")
}

// checkCMPP logs in to the carrier's gateway once.
func checkCMPP(ctx context.Context, s cmppSettings) error {
	line, err := cmpp.New(s.config())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = line.Check(ctx)
	var refused *cmpp.ConnectError
	switch {
	case errors.As(err, &refused):
		return err
	case err != nil:
		return errors.New("not reached; check NONGXUN_CMPP_ADDR, the VPN or leased line to the carrier, and whether the carrier lets this machine's address in")
	}
	return nil
}

// checkSMPP binds to the SMSC once.
func checkSMPP(ctx context.Context, s smppSettings) error {
	g, err := smpp.New(s.config())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = g.Check(ctx)
	var refused *sms.Error
	switch {
	case errors.As(err, &refused):
		return fmt.Errorf("the SMSC refused with %s (%s)", refused.Code, refused.Message)
	case err != nil:
		return errors.New("not reached; check NONGXUN_SMPP_ADDR, the firewall, and whether the SMSC lets this machine's address in")
	}
	return nil
}

func checkCallback(ctx context.Context, base string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return reach(ctx, strings.TrimRight(base, "/")+"/healthz", "check DNS, the certificate, the proxy and the firewall", http.StatusOK)
}

// reach asks an address; any answer at all means that it is reached, unless one with a status is wanted.
func reach(ctx context.Context, address, advice string, want ...int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("not an address; it should begin with https://")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			return fmt.Errorf("not reached (%s); %s", op.Op, advice)
		}
		return fmt.Errorf("not reached; %s", advice)
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<16))
	if err = resp.Body.Close(); err == nil && len(want) > 0 && !slices.Contains(want, resp.StatusCode) {
		err = fmt.Errorf("something answers there with status %d, which is not this service; %s", resp.StatusCode, advice)
	}
	return err
}
