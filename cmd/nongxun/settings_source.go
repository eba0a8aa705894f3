package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/price"
)

// settingError names the setting that is wrong and what it should look like.
type settingError struct{ name, should string }

func (e settingError) Error() string { return fmt.Sprintf("setting %s: %s", e.name, e.should) }

// source looks settings up and remembers the first thing that is wrong.
type source struct {
	env   func(string) (string, bool)
	file  map[string]string
	asked map[string]bool // names as they stand in a file
	err   error
}

func (s *source) fail(name, should string, args ...any) {
	if s.err == nil {
		s.err = settingError{name, fmt.Sprintf(should, args...)}
	}
}

// get is the value of NONGXUN_<name>, or missing where it is not set.
func (s *source) get(name, missing string) string {
	full, key := "NONGXUN_"+name, strings.ToLower(name)
	s.asked[key], s.asked[key+"_file"] = true, true
	if v, ok := s.env(full); ok && v != "" {
		return v
	}
	path, _ := s.env(full + "_FILE")
	if path == "" {
		if v := s.file[key]; v != "" {
			return v
		}
		path = s.file[key+"_file"]
	}
	if path == "" {
		return missing
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		s.fail(full+"_FILE", "the file can't be read; it should hold the value of %s", full)
		return missing
	}
	return strings.TrimSpace(string(b))
}

// unknown fails for a name in the file that is none of a setting. Those of a side that is off are not asked for.
func (s *source) unknown(off ...string) {
	for _, key := range slices.Sorted(maps.Keys(s.file)) {
		if !s.asked[key] && !slices.ContainsFunc(off, func(side string) bool { return strings.HasPrefix(key, side) }) {
			s.fail("NONGXUN_CONFIG", "holds %q, which is no setting; see docs/设置.md for the names (in lower case, without NONGXUN_)", key)
		}
	}
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
			if !slices.Contains(pushFields, what) {
				s.fail("NONGXUN_"+name, "should map the template's fields to %s; there is no %q", strings.Join(pushFields, ", "), what)
			}
			if !holds(own, what) {
				s.fail("NONGXUN_"+name, "should map thing fields to words and date or time fields to date: the platform refuses every message in which %s says %s", own, what)
			}
			if key == price.Template && what == writing.FieldAmount {
				s.fail("NONGXUN_"+name, "should not map %s to amount: a price push has none, and the platform refuses an empty field", own)
			}
			t.Keywords[own] = what
		}
		if !slices.Contains(pushTemplates, key) {
			s.fail("NONGXUN_"+name, "should name %s; there is no %q", strings.Join(pushTemplates, ", "), key)
		}
		if len(t.Keywords) == 0 {
			s.fail("NONGXUN_"+name, "should say which of the template's own fields says what, such as %s=%s?thing1=goods: the platform refuses a message without its fields", key, id)
		}
		out[key] = t
	}
	return out
}

// holds says whether a field of the platform's type, which stands in its name (thing1, time2), may hold what a push says there: words
// ("3.5元/斤", "面议"), or a day. Fields of old templates have names without a type.
func holds(own, what string) bool {
	switch strings.TrimRight(own, "0123456789") {
	case "date", "time":
		return what == writing.FieldDate
	case "amount", "number", "letter", "symbol", "character_string", "phone_number", "car_number", "name", "phrase", "const":
		return false
	}
	return true
}

// pushTemplates are the names by which pushes ask for a template.
var pushTemplates = []string{price.Template, market.Template}

// pushFields are what a template message can say.
var pushFields = []string{writing.FieldTitle, writing.FieldGoods, writing.FieldPrice, writing.FieldAmount, writing.FieldPlace, writing.FieldDate}

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

// readConfig reads the YAML file: names and values as they are written.
func readConfig(path string) (map[string]string, error) {
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, settingError{"NONGXUN_CONFIG", "there is no such file; it should name a YAML file"}
		}
		return nil, settingError{"NONGXUN_CONFIG", "the file can't be read; it should name a YAML file"}
	}
	raw := map[string]yaml.Node{} // values as they are written: 3.0 is not 3, and 01234567 is no octal number
	if err = yaml.Unmarshal(b, &raw); err != nil {
		return nil, settingError{"NONGXUN_CONFIG", "should name a YAML file of lines such as `listen: 127.0.0.1:8080`"}
	}
	out := map[string]string{}
	for k, v := range raw {
		switch {
		case v.Kind != yaml.ScalarNode:
			return nil, settingError{"NONGXUN_CONFIG", "should hold one value for " + k + ", in a line such as `" + k + ": value`"}
		case v.Tag != "!!null": // left empty is not set
			out[k] = v.Value
		}
	}
	return out, nil
}
