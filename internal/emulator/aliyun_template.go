package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf16"
)

// SMSKind is the type of a template, which decides its rules and limits.
type SMSKind string

// The kinds of templates.
const (
	SMSCaptcha   SMSKind = "captcha"
	SMSNotice    SMSKind = "notice"
	SMSPromotion SMSKind = "promotion"
)

// SMSTemplate is an approved template, such as "您的${product}已登记，${price}。农讯".
type SMSTemplate struct {
	Code string // SMS_…
	Text string
	Kind SMSKind // default notice
}

var smsVariable = regexp.MustCompile(`\$\{([A-Za-z][A-Za-z0-9_]*)\}`)

// refusedRunes may not stand in a template.
const refusedRunes = "【】★※→●℃"

const optOutTail = "拒收请回复R"

// check applies the rules by which a template is approved.
func (t SMSTemplate) check() error {
	fixed := smsVariable.ReplaceAllString(t.Text, "")
	switch {
	case !strings.HasPrefix(t.Code, "SMS_"):
		return errors.New("the code must begin with SMS_")
	case strings.ContainsAny(t.Text, refusedRunes):
		return fmt.Errorf("none of %s may stand in a template", refusedRunes)
	case strings.Contains(strings.ReplaceAll(smsVariable.ReplaceAllString(t.Text, "\x00"), " ", ""), "\x00\x00"):
		return errors.New("two variables may not stand side by side")
	case strings.Trim(fixed, " ,.，。、") == "":
		return errors.New("a template may not be made of variables alone")
	case strings.Contains(fixed, "${"):
		return errors.New("a variable is not written as ${name}")
	case t.Kind == SMSPromotion && !strings.HasSuffix(t.Text, optOutTail):
		return fmt.Errorf("a promotion must end with %s", optOutTail)
	case t.Kind != SMSPromotion && strings.Contains(t.Text, optOutTail):
		return fmt.Errorf("only a promotion may say %s", optOutTail)
	}
	return nil
}

// maxVariable is the length of a variable's value, maxMessage that of a whole message, sign included, in UTF-16 units.
const (
	maxVariable = 35
	maxMessage  = 500
)

var smsURL = regexp.MustCompile(`(?i)(https?://|www\.|[a-z0-9-]+\.(com|cn|net|org|top|xyz|cc)\b)`)

// render fills a template from TemplateParam, as the provider does before it hands a text to the carrier.
func (t SMSTemplate) render(sign, param string) (string, *aliyunError) {
	values := map[string]any{}
	if strings.TrimSpace(param) != "" {
		if err := json.Unmarshal([]byte(param), &values); err != nil {
			return "", business("isv.INVALID_JSON_PARAM", "JSON参数不合法")
		}
	}
	var refused *aliyunError
	out := smsVariable.ReplaceAllStringFunc(t.Text, func(variable string) string {
		name := smsVariable.FindStringSubmatch(variable)[1]
		value, err := variableValue(name, values)
		if err != nil && refused == nil {
			refused = err
		}
		return value
	})
	if refused != nil {
		return "", refused
	}
	out = "【" + sign + "】" + out
	if utf16Len(out) > maxMessage {
		return "", business("isv.CONTENT_LENGTH_LIMIT", "短信内容超长")
	}
	return out, nil
}

func variableValue(name string, values map[string]any) (string, *aliyunError) {
	v, ok := values[name]
	if !ok {
		return "", business("isv.TEMPLATE_MISSING_PARAMETERS", "模版缺少变量")
	}
	s, ok := v.(string)
	switch {
	case !ok: // {"code":123} is refused, the values must be strings
		return "", business("isv.INVALID_JSON_PARAM", "JSON参数不合法，只接受字符串值")
	case strings.TrimSpace(s) == "":
		return "", business("isv.TEMPLATE_PARAMS_ILLEGAL", "模版变量里包含非法关键字: "+name+" 为空")
	case utf16Len(s) > maxVariable:
		return "", business("isv.PARAM_LENGTH_LIMIT", "参数超过长度限制")
	case strings.ContainsAny(s, "【】"):
		return "", business("isv.TEMPLATE_PARAMS_ILLEGAL", "模版变量里包含非法关键字: "+name)
	case smsURL.MatchString(s):
		return "", business("isv.PARAM_NOT_SUPPORT_URL", "变量不支持传入URL")
	}
	return s, nil
}

func business(code, message string) *aliyunError { return &aliyunError{200, code, message} }

func utf16Len(s string) int { return len(utf16.Encode([]rune(s))) }

// smsParts is how many messages the carrier counts: up to 70 units are one, longer ones are cut into pieces of 67.
func smsParts(s string) int {
	n := utf16Len(s)
	if n <= 70 {
		return 1
	}
	return (n + 66) / 67
}
