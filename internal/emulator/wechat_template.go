package emulator

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// Template is a template message that was applied for (类目模板). Its keys are of the form thing1, amount2, time3; the word is the
// type, which decides what a value may look like.
type Template struct {
	ID, Title string
	Fields    []TemplateField
}

// TemplateField is a line of a template.
type TemplateField struct{ Key, Label string }

var templateKey = regexp.MustCompile(`^([a-z_]+)([0-9]{1,2})$`)

func (t Template) check() error {
	if t.ID == "" || t.Title == "" || len(t.Fields) == 0 {
		return errors.New("a template needs an id, a title and fields")
	}
	for _, f := range t.Fields {
		m := templateKey.FindStringSubmatch(f.Key)
		if m == nil || f.Label == "" {
			return fmt.Errorf("field %q: want a key such as thing1 and a label", f.Key)
		}
		if _, ok := fieldTypes()[m[1]]; !ok {
			return fmt.Errorf("field %q: unknown type", f.Key)
		}
	}
	return nil
}

// fieldType is the rule of one type: what is longer than cut characters is cut silently; what does not match is refused (47003).
type fieldType struct {
	cut     int
	pattern *regexp.Regexp
}

// fieldTypes are those of 订阅消息参数值内容限制说明; since 2023-05-04 every field of a template message also ends at 20 characters
// and at the first line break.
func fieldTypes() map[string]fieldType {
	return map[string]fieldType{
		"thing":            {cut: 20},
		"const":            {cut: 20},
		"number":           {cut: 32, pattern: numberValue},
		"letter":           {cut: 32, pattern: letterValue},
		"symbol":           {cut: 5, pattern: symbolValue},
		"character_string": {cut: 32, pattern: characterValue},
		"time":             {pattern: timeValue},
		"date":             {pattern: timeValue},
		"amount":           {pattern: amountValue},
		"phone_number":     {pattern: phoneValue},
		"car_number":       {pattern: carValue},
		"name":             {pattern: nameValue},
		"phrase":           {pattern: phraseValue},
	}
}

var (
	numberValue    = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?$`)
	letterValue    = regexp.MustCompile(`^[A-Za-z]+$`)
	symbolValue    = regexp.MustCompile(`^[[:punct:]]+$`)
	characterValue = regexp.MustCompile(`^[\x21-\x7e]+$`)
	timeValue      = regexp.MustCompile(`^([0-9]{4}[-/年][0-9]{1,2}[-/月][0-9]{1,2}日?)?( ?[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?([~-]([0-9]{4}[-/年][0-9]{1,2}[-/月][0-9]{1,2}日?)?( ?[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)?)?$`)
	amountValue    = regexp.MustCompile(`^[¥￥$€£]?[0-9]{1,10}(\.[0-9]{1,2})?元?$`)
	phoneValue     = regexp.MustCompile(`^[0-9+\-]{3,17}$`)
	carValue       = regexp.MustCompile(`^[\p{Han}A-Z0-9]{1,8}$`)
	nameValue      = regexp.MustCompile(`^(\p{Han}{1,10}|[A-Za-z\p{P} ]{1,20})$`)
	phraseValue    = regexp.MustCompile(`^\p{Han}{1,5}$`)
)

// render is what a phone shows of a value, or an error that says what is wrong with it.
func renderField(key, value string) (string, error) {
	value, _, _ = strings.Cut(strings.ReplaceAll(value, "\r", ""), "\n")
	value = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r >= 0x1F000 && r <= 0x1FAFF || r == 0xFE0F { // emoji are taken out
			return -1
		}
		return r
	}, value))
	if value == "" {
		return "", fmt.Errorf("data.%s.value is empty", key)
	}
	t := fieldTypes()[templateKey.FindStringSubmatch(key)[1]]
	if t.pattern != nil && !t.pattern.MatchString(value) {
		return "", fmt.Errorf("data.%s.value invalid", key)
	}
	if t.cut > 0 && utf8.RuneCountInString(value) > t.cut {
		value = string([]rune(value)[:t.cut])
	}
	return value, nil
}

// sentTemplate remembers a client_msg_id.
type sentTemplate struct {
	msgID int64
	at    time.Time
}

// clientIDLife is how long a client_msg_id is remembered.
const clientIDLife = 10 * time.Minute

// dayCount counts the calls of one day in the bureau's time zone.
type dayCount struct {
	day string
	n   int
}

func (d *dayCount) add(now time.Time) int {
	if day := now.In(shanghai).Format(time.DateOnly); day != d.day {
		d.day, d.n = day, 0
	}
	d.n++
	return d.n
}

func (w *WeChat) sendTemplate(_ *http.Request, body []byte) (any, int) {
	var in struct {
		ToUser      string `json:"touser"`
		TemplateID  string `json:"template_id"`
		URL         string `json:"url"`
		ClientMsgID string `json:"client_msg_id"`
		Data        map[string]struct {
			Value string `json:"value"`
		} `json:"data"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	t, ok := w.template(in.TemplateID)
	if !ok {
		return nil, codeTemplateID
	}
	b := Bubble{Kind: "template", Title: t.Title, URL: in.URL}
	var invalid error
	for _, f := range t.Fields {
		value, err := renderField(f.Key, in.Data[f.Key].Value)
		if err != nil && invalid == nil {
			invalid = err
		}
		b.Fields = append(b.Fields, BubbleField{Label: f.Label, Value: value})
	}
	w.mu.Lock()
	id, status, code := w.accept(in.ToUser, in.ClientMsgID, invalid)
	w.mu.Unlock()
	if code != 0 {
		if code == codeBadArgument {
			return refusal{code, invalid.Error()}, code
		}
		return nil, code
	}
	if status == "success" {
		w.show(in.ToUser, b)
	}
	if status != "" {
		w.report(in.ToUser, "TEMPLATESENDJOBFINISH", number("MsgID", id), text("Status", status))
	}
	return errAnswer{ErrMsg: "ok", MsgID: id}, 0
}

func (w *WeChat) template(id string) (Template, bool) {
	for _, t := range w.o.Templates {
		if t.ID == id {
			return t, true
		}
	}
	return Template{}, false
}

// accept decides on a template message; mu is held. status is that of its receipt, "" for a repeat, which has none.
func (w *WeChat) accept(openid, clientID string, invalid error) (id int64, status string, code int) {
	now := w.o.Now()
	if w.quota.add(now) > w.o.TemplatesPerDay {
		return 0, "", codeDailyQuota
	}
	if code := w.reachable(openid); code != 0 {
		return 0, "", code
	}
	if invalid != nil {
		return 0, "", codeBadArgument
	}
	key := openid + " " + clientID
	if old, ok := w.sent[key]; ok && clientID != "" && now.Sub(old.at) < clientIDLife {
		return old.msgID, "", 0
	}
	id = w.nextID.Add(1)
	if clientID != "" {
		w.sent[key] = sentTemplate{msgID: id, at: now}
	}
	if w.fans[openid].blocks {
		return id, "failed:user block", 0
	}
	w.fans[openid].counts.Template++
	return id, "success", 0
}
