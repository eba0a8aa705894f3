package main

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nongxun/nongxun/sms/smpp"
)

func TestSMPPSettings(t *testing.T) {
	t.Parallel()
	load := func(more map[string]string) (smppSettings, error) {
		env := map[string]string{
			"HOME": "/tmp", "NONGXUN_SMPP_ADDR": "tls://smsc.example.com:3550", "NONGXUN_SMPP_SYSTEM_ID": "nongxun", "NONGXUN_SMPP_PASSWORD": "secret", "NONGXUN_SMPP_SRC": "10690001",
		}
		for k, v := range more {
			env["NONGXUN_SMPP_"+k] = v
		}
		s, err := loadSettings(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		return s.SMPP, err
	}
	want := smppSettings{
		Addr: "tls://smsc.example.com:3550", SystemID: "nongxun", Password: "secret", Src: "10690001", CountryCode: "86", Alphabet: smpp.GSM, Long: smpp.LongUDH,
		Connections: 1, Window: 10, Rate: 10,
	}
	got, err := load(nil)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if _, err := smpp.New(got.config()); err != nil {
		t.Error(err)
	}
	want.CountryCode, want.Alphabet, want.Long, want.ReceiptIDs, want.Sign, want.SignByGateway = "", smpp.Latin1, smpp.LongSAR, smpp.ReceiptHex, "炎陵县商务局", true
	got, err = load(map[string]string{"COUNTRY_CODE": "none", "ALPHABET": "Latin1", "LONG": "sar", "RECEIPT_IDS": "hex", "SIGN": "网关:【炎陵县商务局】"})
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	for name, value := range map[string]string{
		"PASSWORD": "123456789", "SRC": "农讯", "COUNTRY_CODE": "+86", "ALPHABET": "gbk", "LONG": "no", "RECEIPT_IDS": "bin", "WINDOW": "0", "RATE": "many", "SERVICE_TYPE": "123456",
	} {
		_, err := load(map[string]string{name: value})
		var wrong settingError
		if !errors.As(err, &wrong) || wrong.name != "NONGXUN_SMPP_"+name {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}
