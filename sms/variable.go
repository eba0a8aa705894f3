package sms

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// VariableType is what a template's variable may hold: the TemplateRule of Aliyun's CreateSmsTemplate (document 2806243).
type VariableType string

// The types.
const (
	PhoneValue  VariableType = "phone_number2" // a mobile number, a fixed line, 400…, 95…
	TimeValue   VariableType = "time"          // a date, a time, 上午
	MoneyValue  VariableType = "money"         // a number, in digits or in Chinese, with a unit or without
	NameValue   VariableType = "name"          // a person's or firm's
	NumberValue VariableType = "other_number2" // a number of an order, a code
	OtherValue  VariableType = "others"        // any words; no addresses of pages, no 【】
)

// MaxValue is how long the value of a variable may be, in the units of Length.
const MaxValue = 35

// Template is a text that a provider has approved, with variables ${name}. What Types does not name is OtherValue.
type Template struct {
	Text  string
	Types map[string]VariableType
}

var variable = regexp.MustCompile(`\$\{([A-Za-z][A-Za-z0-9_]*)\}`)

// Check says what would keep a template from being approved.
func (t Template) Check(family string) *Error {
	names := map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(t.Text, -1) {
		if names[m[1]] {
			return refuse(CodeTemplate, "模板里 ${"+m[1]+"} 出现了两次。")
		}
		names[m[1]] = true
	}
	fixed := variable.ReplaceAllString(t.Text, "")
	clean := cleaner{}
	clean.clean(fixed)
	switch {
	case strings.TrimSpace(fixed) == "":
		return refuse(CodeTemplate, "模板不能只有变量。")
	case strings.Contains(variable.ReplaceAllString(t.Text, "\x00"), "\x00\x00"):
		return refuse(CodeTemplate, "模板里两个变量挨在一起，中间要有字。")
	case strings.Contains(fixed, "${"):
		return refuse(CodeTemplate, "模板里的变量要写成 ${name}，名字用英文字母开头。")
	case len(clean.changes) > 0:
		return refuse(CodeTemplate, "模板里有不能用的字符："+string(clean.changes[0])+"。")
	case family == Promotion && !strings.HasSuffix(t.Text, OptOut):
		return refuse(CodeTemplate, "推广模板要以“"+OptOut+"”结尾。")
	case family != Promotion && strings.Contains(fold(t.Text), fold(OptOut)):
		return refuse(CodeTemplate, "只有推广模板才写“"+OptOut+"”。")
	}
	return nil
}

// fill puts fitted values in for the variables.
func (t Template) fill(values map[string]string, clean *cleaner) (text string, fitted map[string]string, err *Error) {
	fitted = map[string]string{}
	text = variable.ReplaceAllStringFunc(t.Text, func(v string) string {
		name := v[2 : len(v)-1]
		value, changes, bad := FitValue(t.Types[name], values[name])
		if bad != nil && err == nil {
			err = refuse(bad.Code, "变量 "+name+"："+bad.Message)
		}
		for _, c := range changes {
			clean.note(c)
		}
		fitted[name] = value
		return value
	})
	if err != nil {
		return "", nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := fitted[name]; !ok {
			return "", nil, refuse(CodeTemplate, "模板里没有变量 "+name+"。")
		}
	}
	return text, fitted, nil
}

var (
	fixedLine = regexp.MustCompile(`^[0-9][0-9-]{3,13}[0-9]$`)
	timeForm  = regexp.MustCompile(`^[0-9年月日号时点分秒半:/\- .~至到上下午早晚中凌晨周星期一二三四五六日天今明后]+$`)
	moneyForm = regexp.MustCompile(`^([0-9]+(,[0-9]{3})*(\.[0-9]+)?|[零一二三四五六七八九十百千万亿两点壹贰叁肆伍陆柒捌玖拾佰仟]+)[万亿]?(元|块|角|毛|分)?([整]|/[\p{Han}a-z]{1,3})?$`)
	codeForm  = regexp.MustCompile(`^[0-9A-Za-z_-]+$`)
)

// FitValue makes a value that a variable of a type may hold: what cannot stand in it is taken out, what is too long is shortened where
// that does no harm (a number is never cut). The empty type is OtherValue.
func FitValue(kind VariableType, value string) (string, []Change, *Error) {
	clean := cleaner{line: true}
	s := tidy(clean.clean(value))
	if s == "" {
		return "", nil, refuse(CodeValue, "没有内容。")
	}
	half := strings.TrimSpace(norm.NFKC.String(s))
	bad := func(want string) (string, []Change, *Error) {
		return "", nil, refuse(CodeValue, "要写"+want+"。")
	}
	switch kind {
	case PhoneValue:
		if p, ok := NormalPhone(half); ok {
			return p, clean.changes, nil
		}
		line := strings.NewReplacer(" ", "", "(", "", ")", "-").Replace(half)
		if n := len(strings.ReplaceAll(line, "-", "")); !fixedLine.MatchString(line) || n < 5 || n > 13 {
			return bad("手机号、座机号或400电话")
		}
		return line, clean.changes, nil
	case TimeValue:
		if !timeForm.MatchString(half) || !strings.ContainsFunc(half, unicode.IsDigit) || Length(half) > MaxValue {
			return bad("日期或时间，如 2026-11-30 或 11月30日9:00")
		}
		return half, clean.changes, nil
	case MoneyValue:
		m := strings.TrimLeft(half, "¥$")
		if !moneyForm.MatchString(m) || Length(m) > MaxValue {
			return bad("金额，如 3.5 或 3.5元")
		}
		return m, clean.changes, nil
	case NumberValue:
		n := strings.ReplaceAll(half, " ", "")
		if !codeForm.MatchString(n) || len(n) > MaxValue {
			return bad("只有数字和字母的编号")
		}
		return n, clean.changes, nil
	}
	if Length(s) > MaxValue {
		clean.note(ShortenedValue)
	}
	return Shorten(s, MaxValue), clean.changes, nil
}
