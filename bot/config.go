package bot

import (
	"fmt"
	"log/slog"
	"time"
)

// Mode is how callbacks are protected. It is set here as it is set in the platform's console, and enforced whatever a request
// claims about itself.
type Mode int

// The modes. Secure is the zero value.
const (
	Secure     Mode = iota // 安全模式: only encrypted bodies; a plain one is refused
	Compatible             // 兼容模式: encrypted bodies and plain ones; for debugging and while changing to Secure
	Plain                  // 明文模式: only plain bodies. Their signature does not cover the body
)

// ParseMode reads "plain", "compatible" or "secure".
func ParseMode(s string) (Mode, error) {
	switch s {
	case "secure":
		return Secure, nil
	case "compatible":
		return Compatible, nil
	case "plain":
		return Plain, nil
	}
	return Secure, fmt.Errorf("mode %q: want plain, compatible or secure", s)
}

// String is the name that ParseMode reads.
func (m Mode) String() string {
	switch m {
	case Secure:
		return "secure"
	case Compatible:
		return "compatible"
	case Plain:
		return "plain"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// Config says how a Handler verifies and answers. AESKey and AESKeyPrevious are EncodingAESKeys, the 43 characters of the
// console; the previous one is still accepted while a key is being changed and may be empty.
type Config struct {
	AppID          string
	Token          string
	AESKey         string
	AESKeyPrevious string
	Mode           Mode
	Freshness      time.Duration    // how far a signed timestamp may be from Now, either way; 0: not checked
	Now            func() time.Time // nil: time.Now
	Patience       time.Duration    // how long Receive may take; 0: 4.5 s (the platform gives up at 5 s)
	Log            *slog.Logger     // nil: silent
}

// defaultPatience leaves half a second of the platform's five for the way back.
const defaultPatience = 4500 * time.Millisecond

// check fills the defaults in and reads the keys: current first.
func (c *Config) check() (keys []aesKey, err error) {
	if c.Token == "" {
		return nil, fmt.Errorf("bot: Token is empty: take it from the console (基本配置)")
	}
	if c.Mode < Secure || c.Mode > Plain {
		return nil, fmt.Errorf("bot: %v is no mode", c.Mode)
	}
	if c.Freshness < 0 || c.Patience < 0 {
		return nil, fmt.Errorf("bot: Freshness and Patience must not be negative")
	}
	if c.Mode != Plain && (c.AppID == "" || c.AESKey == "") {
		return nil, fmt.Errorf("bot: mode %v needs AppID and AESKey", c.Mode)
	}
	for _, k := range []struct{ name, value string }{{"AESKey", c.AESKey}, {"AESKeyPrevious", c.AESKeyPrevious}} {
		if k.value == "" {
			continue
		}
		key, err := parseAESKey(k.value)
		if err != nil {
			return nil, fmt.Errorf("bot: %s: %w", k.name, err)
		}
		keys = append(keys, key)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Patience == 0 {
		c.Patience = defaultPatience
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return keys, nil
}
