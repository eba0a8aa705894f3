package main

import (
	"cmp"
	"encoding/base64"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

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

// loadSettings reads and checks all settings; the first that is wrong is the error.
func loadSettings(env func(string) (string, bool)) (settings, error) {
	s := &source{env: env, asked: map[string]bool{}}
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
	if out.DatabaseURL != "" {
		if _, err := pgxpool.ParseConfig(out.DatabaseURL); err != nil {
			s.fail("NONGXUN_DATABASE_URL", "should be an address such as postgres://user:password@host:5432/nongxun (what is not a letter or digit in the password written as %%40)")
		}
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
	var off []string
	for side, on := range map[string]string{"wechat_": out.WeChat.AppID, "aliyun_": out.Aliyun.AccessKeyID, "cmpp_": out.CMPP.Addr, "smpp_": out.SMPP.Addr} {
		if on == "" {
			off = append(off, side)
		}
	}
	s.unknown(off...)
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

// aliyunTemplate is a family of texts and how many variables its template has; without a number it has one, content.
var aliyunTemplate = regexp.MustCompile(`^(reply|notice|promotion)[1-4]?$`)

func (s *source) aliyun() aliyunSettings {
	a := aliyunSettings{
		AccessKeyID: s.get("ALIYUN_ACCESS_KEY_ID", ""),
		Endpoint:    s.base("ALIYUN_ENDPOINT", "https://dysmsapi.aliyuncs.com"),
		Templates:   s.pairs("ALIYUN_TEMPLATES"),
	}
	for name := range a.Templates {
		if !aliyunTemplate.MatchString(name) {
			s.fail("NONGXUN_ALIYUN_TEMPLATES", "should name reply1 to reply4, notice1 to notice4 or promotion1 to promotion4; there is no %q", name)
		}
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
