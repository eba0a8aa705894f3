package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/cmpp"
)

func lineEnv(changes map[string]string) func(string) (string, bool) {
	env := map[string]string{
		"HOME": "/root", "NONGXUN_CMPP_ADDR": "10.1.2.3:7890", "NONGXUN_CMPP_SP_ID": "900001", "NONGXUN_CMPP_SECRET": "s", "NONGXUN_CMPP_SRC_ID": "10690001",
	}
	maps.Copy(env, changes)
	return func(name string) (string, bool) { v, ok := env[name]; return v, ok }
}

func TestCarrierSettings(t *testing.T) {
	t.Parallel()
	s, err := loadSettings(lineEnv(map[string]string{
		"NONGXUN_CMPP_VERSION": "3.0", "NONGXUN_CMPP_SIGN": "网关:【示例县商务局】", "NONGXUN_CMPP_RATE": "200", "NONGXUN_SMS_ROUTES": "mobile=cmpp,unicom=cmpp+aliyun",
	}))
	if err != nil {
		t.Fatal(err)
	}
	want := cmppSettings{
		Addr: "10.1.2.3:7890", SPID: "900001", Secret: "s", SrcID: "10690001", Version: cmpp.V30, Connections: 1, Window: 16, Rate: 200,
		Sign: "示例县商务局", SignByGateway: true,
	}
	if diff := cmp.Diff(want, s.CMPP); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[sms.Carrier][]string{sms.Mobile: {"cmpp"}, sms.Unicom: {"cmpp", "aliyun"}}, s.Routes); diff != "" {
		t.Error(diff)
	}
	for name, value := range map[string]string{
		"NONGXUN_CMPP_ADDR": "10.1.2.3", "NONGXUN_CMPP_SP_ID": "", "NONGXUN_CMPP_SECRET": "", "NONGXUN_CMPP_SRC_ID": "1069-0001", "NONGXUN_CMPP_VERSION": "4",
		"NONGXUN_CMPP_CONNECTIONS": "0", "NONGXUN_CMPP_WINDOW": "x", "NONGXUN_CMPP_RATE": "-1", "NONGXUN_CMPP_SERVICE_ID": "12345678901",
		"NONGXUN_CMPP_SIGN": strings.Repeat("长", 21), "NONGXUN_SMS_ROUTES": "移动=cmpp",
	} {
		_, err := loadSettings(lineEnv(map[string]string{name: value}))
		var wrong settingError
		if !errors.As(err, &wrong) || wrong.name != name {
			t.Errorf("%s=%q: %v", name, value, err)
		}
	}
}

func TestRoutesMustNameLinesThatAreSet(t *testing.T) {
	t.Parallel()
	s, err := loadSettings(lineEnv(map[string]string{"NONGXUN_SMS_ROUTES": "mobile=cmpp+aliyun"}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = newService(t.Context(), s, pgtest.New(t), time.Now, slog.New(slog.DiscardHandler))
	var wrong settingError
	if !errors.As(err, &wrong) || wrong.name != "NONGXUN_SMS_ROUTES" {
		t.Errorf("%v", err)
	}
}

func TestDoctorLogsInToTheCarrier(t *testing.T) {
	t.Parallel()
	gateway, err := emulator.NewCMPP(emulator.CMPPOptions{SPID: "900001", Secret: "s", Number: "10690001"})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gateway.Serve(l)
	t.Cleanup(gateway.Close)
	check := func(changes map[string]string) error {
		s, err := loadSettings(lineEnv(changes))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		return checkCMPP(ctx, s.CMPP)
	}
	addr := map[string]string{"NONGXUN_CMPP_ADDR": l.Addr().String()}
	if err := check(addr); err != nil {
		t.Error(err)
	}
	if err := check(map[string]string{"NONGXUN_CMPP_ADDR": l.Addr().String(), "NONGXUN_CMPP_SECRET": "wrong"}); err == nil || !strings.Contains(err.Error(), "NONGXUN_CMPP_SECRET") {
		t.Errorf("a wrong secret: %v", err)
	}
	if err := check(map[string]string{"NONGXUN_CMPP_ADDR": freeAddress(t)}); err == nil || !strings.Contains(err.Error(), "NONGXUN_CMPP_ADDR") {
		t.Errorf("nobody there: %v", err)
	}
}
