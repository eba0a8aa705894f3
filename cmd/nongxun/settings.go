package main

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/nongxun/nongxun/bot"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/sms"
)

// settings is what docs/设置.md describes. They come from the environment (NONGXUN_…) or the YAML file that NONGXUN_CONFIG names,
// which holds the same names in lower case without the prefix; the environment goes first. Secrets may also come from a file:
// NONGXUN_WECHAT_APP_SECRET_FILE names one that holds NONGXUN_WECHAT_APP_SECRET.
type settings struct {
	Listen        string
	MetricsListen string
	DatabaseURL   string
	DataDir       string
	Region        string
	Rates         map[string]outbox.Rate
	Hours         map[outbox.Slot]outbox.Hours
	WeeklyCap     map[outbox.Class]int
	SMSPrice      sms.Price
	WeChat        wechatSettings
	Aliyun        aliyunSettings
	CMPP          cmppSettings
	SMPP          smppSettings
	Routes        map[sms.Carrier][]string // which lines serve a carrier, best first
}

type wechatSettings struct {
	AppID, AppSecret, Token string
	AESKey, AESKeyPrevious  string
	Mode                    bot.Mode
	Freshness               time.Duration
	APIURL                  string
	Templates               map[string]outbox.Template
	Notices                 map[string]outbox.Template
}

type aliyunSettings struct {
	AccessKeyID, AccessKeySecret, SignName string
	Endpoint                               string
	CallbackSecrets                        []string
	Templates                              map[string]string
}

// sign is the sign of the line that texts go by first.
func (s settings) sign() string { return cmp.Or(s.CMPP.Sign, s.SMPP.Sign, s.Aliyun.SignName) }

// settingError names the setting that is wrong and what it should look like.
type settingError struct{ name, should string }

func (e settingError) Error() string { return fmt.Sprintf("setting %s: %s", e.name, e.should) }

// source looks settings up and remembers the first thing that is wrong.
type source struct {
	env  func(string) (string, bool)
	file map[string]string
	err  error
}

func (s *source) fail(name, should string, args ...any) {
	if s.err == nil {
		s.err = settingError{name, fmt.Sprintf(should, args...)}
	}
}

// get is the value of NONGXUN_<name>, or missing where it is not set.
func (s *source) get(name, missing string) string {
	full := "NONGXUN_" + name
	if v, ok := s.env(full); ok && v != "" {
		return v
	}
	if path, ok := s.env(full + "_FILE"); ok && path != "" {
		b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
		if err != nil {
			s.fail(full+"_FILE", "the file can't be read; it should hold the value of %s", full)
			return missing
		}
		return strings.TrimSpace(string(b))
	}
	if v, ok := s.file[strings.ToLower(name)]; ok && v != "" {
		return v
	}
	return missing
}

// needed is a value that must be there because another one is.
func (s *source) needed(name, because, should string) string {
	v := s.get(name, "")
	if v == "" {
		s.fail("NONGXUN_"+name, "is missing; %s is set, so it should be %s", because, should)
	}
	return v
}

// pairs reads name=code,name=code.
func (s *source) pairs(name string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(s.get(name, ""), ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		k, v, ok := strings.Cut(part, "=")
		if !ok || strings.TrimSpace(k) == "" || strings.TrimSpace(v) == "" {
			s.fail("NONGXUN_"+name, "should be name=code pairs separated by commas, such as reply1=SMS_123456,reply2=SMS_123457")
			return out
		}
		out[strings.TrimSpace(k)] = strings.TrimSpace(v)
	}
	return out
}

// templates reads name=id?field=what&field=what,…: a template message's id, and which of its own fields (thing1, amount2) says
// what (goods, price …).
func (s *source) templates(name string) map[string]outbox.Template {
	out := map[string]outbox.Template{}
	for key, value := range s.pairs(name) {
		id, query, _ := strings.Cut(value, "?")
		t := outbox.Template{ID: id, Keywords: map[string]string{}}
		for word := range strings.FieldsFuncSeq(query, func(r rune) bool { return r == '&' }) {
			own, what, ok := strings.Cut(word, "=")
			if !ok || own == "" || what == "" {
				s.fail("NONGXUN_"+name, "should be name=id?field=what pairs, such as price=TM00123?thing1=goods&thing2=price&time3=date")
			}
			if own == "always" { // a long-term subscription notice
				t.Always = what == "yes"
				continue
			}
			t.Keywords[own] = what
		}
		out[key] = t
	}
	return out
}

func (s *source) address(name, missing string) string {
	v := s.get(name, missing)
	if v == "" {
		return ""
	}
	if _, _, err := net.SplitHostPort(v); err != nil {
		s.fail("NONGXUN_"+name, "should be host:port, such as 127.0.0.1:8080 or :8080")
	}
	return v
}

// base reads the base address of an API. Plain http carries secrets, so it is for a loopback host only.
func (s *source) base(name, missing string) string {
	v := strings.TrimRight(s.get(name, missing), "/")
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		s.fail("NONGXUN_"+name, "should be an address such as %s", missing)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		s.fail("NONGXUN_"+name, "should begin with https:// (plain http is for a loopback host only)")
	}
	return v
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// loadSettings reads and checks all settings; the first that is wrong is the error.
func loadSettings(env func(string) (string, bool)) (settings, error) {
	s := &source{env: env}
	if path, ok := env("NONGXUN_CONFIG"); ok && path != "" {
		if s.file, s.err = readConfig(path); s.err != nil {
			return settings{}, s.err
		}
	}
	out := settings{
		Listen:        s.address("LISTEN", "127.0.0.1:8080"),
		MetricsListen: s.address("METRICS_LISTEN", ""),
		DatabaseURL:   s.get("DATABASE_URL", ""),
		DataDir:       s.get("DATA_DIR", defaultDataDir(env)),
		Region:        s.get("REGION", "430000"),
	}
	if len(out.Region) != 6 || strings.Trim(out.Region, "0123456789") != "" {
		s.fail("NONGXUN_REGION", "should be the six-digit GB/T 2260 code of the bureau's region, such as 430000 (Hunan) or 430225 (Yanling)")
	}
	if !filepath.IsAbs(out.DataDir) {
		s.fail("NONGXUN_DATA_DIR", "should be an absolute path, such as /var/lib/nongxun")
	}
	out.Rates, out.Hours, out.WeeklyCap = s.rates("RATES"), s.hours("HOURS"), s.weeklyCap("WEEKLY_CAP")
	out.SMSPrice = s.price("SMS_PRICE_FEN")
	out.WeChat = s.wechat()
	out.Aliyun = s.aliyun()
	out.CMPP = s.cmpp()
	out.SMPP = s.smpp()
	out.Routes = s.routes()
	return out, s.err
}

func (s *source) wechat() wechatSettings {
	w := wechatSettings{
		AppID:          s.get("WECHAT_APP_ID", ""),
		AESKeyPrevious: s.get("WECHAT_AES_KEY_PREVIOUS", ""),
		APIURL:         s.base("WECHAT_API_URL", "https://api.weixin.qq.com"),
		Templates:      s.templates("WECHAT_TEMPLATES"),
		Notices:        s.templates("WECHAT_NOTICES"),
	}
	var err error
	if w.Mode, err = bot.ParseMode(s.get("WECHAT_MODE", "secure")); err != nil {
		s.fail("NONGXUN_WECHAT_MODE", "should be plain, compatible or secure")
	}
	if w.Freshness, err = duration(s.get("WECHAT_FRESHNESS", "10m")); err != nil || w.Freshness < 0 {
		s.fail("NONGXUN_WECHAT_FRESHNESS", "should be a time such as 10m or 90s, or 0 for no check")
	}
	if w.AppID == "" {
		return w
	}
	w.AppSecret = s.needed("WECHAT_APP_SECRET", "NONGXUN_WECHAT_APP_ID", "the service account's AppSecret")
	w.Token = s.needed("WECHAT_TOKEN", "NONGXUN_WECHAT_APP_ID", "the Token of the account's server settings")
	w.AESKey = s.get("WECHAT_AES_KEY", "")
	if w.Mode != bot.Plain {
		w.AESKey = s.needed("WECHAT_AES_KEY", "NONGXUN_WECHAT_MODE", "the EncodingAESKey, 43 letters and digits")
	}
	for name, key := range map[string]string{"WECHAT_AES_KEY": w.AESKey, "WECHAT_AES_KEY_PREVIOUS": w.AESKeyPrevious} {
		if b, err := base64.StdEncoding.DecodeString(key + "="); key != "" && (err != nil || len(b) != 32) {
			s.fail("NONGXUN_"+name, "should be an EncodingAESKey, 43 letters and digits")
		}
	}
	return w
}

func (s *source) aliyun() aliyunSettings {
	a := aliyunSettings{
		AccessKeyID: s.get("ALIYUN_ACCESS_KEY_ID", ""),
		Endpoint:    s.base("ALIYUN_ENDPOINT", "https://dysmsapi.aliyuncs.com"),
		Templates:   s.pairs("ALIYUN_TEMPLATES"),
	}
	for secret := range strings.SplitSeq(s.get("ALIYUN_CALLBACK_SECRET", ""), ",") {
		if secret = strings.TrimSpace(secret); secret != "" {
			a.CallbackSecrets = append(a.CallbackSecrets, secret)
		}
	}
	if len(a.CallbackSecrets) > 2 {
		s.fail("NONGXUN_ALIYUN_CALLBACK_SECRET", "should be one secret, or two separated by a comma while rotating")
	}
	for _, secret := range a.CallbackSecrets {
		if strings.ContainsAny(secret, "/?#% ") {
			s.fail("NONGXUN_ALIYUN_CALLBACK_SECRET", "should be letters and digits only: it is a part of an address")
		}
	}
	if a.AccessKeyID == "" {
		return a
	}
	a.AccessKeySecret = s.needed("ALIYUN_ACCESS_KEY_SECRET", "NONGXUN_ALIYUN_ACCESS_KEY_ID", "the AccessKey's secret")
	a.SignName = s.needed("ALIYUN_SIGN_NAME", "NONGXUN_ALIYUN_ACCESS_KEY_ID", "the approved sign without 【】")
	return a
}

// duration is time.ParseDuration that takes a bare 0 as well.
func duration(v string) (time.Duration, error) {
	if v == "0" {
		return 0, nil
	}
	return time.ParseDuration(v)
}

func readConfig(path string) (map[string]string, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, settingError{"NONGXUN_CONFIG", "there is no such file; it should name a YAML file"}
		}
		return nil, settingError{"NONGXUN_CONFIG", "the file can't be read; it should name a YAML file"}
	}
	raw := map[string]any{}
	if err = yaml.Unmarshal(b, &raw); err != nil {
		return nil, settingError{"NONGXUN_CONFIG", "should name a YAML file of lines such as `listen: 127.0.0.1:8080`"}
	}
	out := map[string]string{}
	for k, v := range raw {
		out[k] = fmt.Sprint(v)
	}
	return out, nil
}

// defaultDataDir is /var/lib/nongxun for root and $XDG_DATA_HOME/nongxun for others.
func defaultDataDir(env func(string) (string, bool)) string {
	if os.Geteuid() == 0 {
		return "/var/lib/nongxun"
	}
	if dir, ok := env("XDG_DATA_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "nongxun")
	}
	home, _ := env("HOME")
	return filepath.Join(home, ".local", "share", "nongxun")
}
