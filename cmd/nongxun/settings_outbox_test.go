package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/sms"
)

func TestOutboxSettings(t *testing.T) {
	t.Parallel()
	load := func(pairs ...string) (settings, error) {
		env := map[string]string{"NONGXUN_DATA_DIR": "/var/lib/nongxun"}
		for i := 0; i < len(pairs); i += 2 {
			env["NONGXUN_"+pairs[i]] = pairs[i+1]
		}
		return loadSettings(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	}
	s, err := load("RATES", "sms=50/s,mass=50/m,sms/promotion=2000/h,template/price=1/s", "HOURS", "notice/wechat=6-22", "WEEKLY_CAP", "promotion=0", "SMS_PRICE_FEN", "3.65",
		"WECHAT_NOTICES", "price=TM1?always=yes&thing1=goods")
	if err != nil {
		t.Fatal(err)
	}
	hours := outbox.DefaultHours()
	hours[outbox.Slot{Class: outbox.Notice, Channel: outbox.WeChat}] = outbox.Hours{From: 6, To: 22}
	for _, d := range []string{
		cmp.Diff(map[string]outbox.Rate{
			"sms": {Messages: 50, Per: time.Second}, "mass": {Messages: 50, Per: time.Minute},
			"sms/promotion": {Messages: 2000, Per: time.Hour}, "template/price": {Messages: 1, Per: time.Second},
		}, s.Rates),
		cmp.Diff(hours, s.Hours),
		cmp.Diff(map[outbox.Class]int{outbox.Promotion: 0, outbox.Notice: 14}, s.WeeklyCap),
		cmp.Diff(map[string]outbox.Template{"price": {ID: "TM1", Always: true, Keywords: map[string]string{"thing1": "goods"}}}, s.WeChat.Notices),
	} {
		if d != "" {
			t.Error(d)
		}
	}
	if got := (settings{CMPP: cmppSettings{Sign: "专线"}, Aliyun: aliyunSettings{SignName: "云"}}).sign(); got != "专线" {
		t.Errorf("plans count the sign %q, but texts go by the line first", got)
	}
	for value, want := range map[string]sms.Price{"": 450, "4": 400, "4.5": 450, "4.05": 405, "0.5": 50} {
		if s, err := load("SMS_PRICE_FEN", value); err != nil || s.SMSPrice != want {
			t.Errorf("a price of %q is %s, %v; want %s", value, s.SMSPrice, err, want)
		}
	}
	for _, wrong := range [][2]string{
		{"RATES", "sms=50"},
		{"RATES", "sms=0/s"},
		{"RATES", "sms=5/w"},
		{"RATES", "promotion/sms=2000/h"},
		{"RATES", "sme=1/s"},
		{"HOURS", "reply/sms=8-21"},
		{"HOURS", "notice/fax=8-21"},
		{"HOURS", "notice/sms=21-8"},
		{"WEEKLY_CAP", "reply=1"},
		{"WEEKLY_CAP", "notice=-1"},
		{"WEEKLY_CAP", "notice=256"},
		{"SMS_PRICE_FEN", "0"},
		{"SMS_PRICE_FEN", "0.045元"},
		{"SMS_PRICE_FEN", "-4"},
		{"SMS_PRICE_FEN", "4.555"},
		{"SMS_PRICE_FEN", "101"},
	} {
		if _, err := load(wrong[0], wrong[1]); err == nil {
			t.Errorf("%s=%s was taken", wrong[0], wrong[1])
		}
	}
}
