package aliyun

import (
	"strconv"
	"strings"

	"github.com/nongxun/nongxun/sms"
)

const (
	// maxVariable is the longest value of a template variable of the type 其他, in UTF-16 units.
	maxVariable = 35
	// maxVariables is how many variables the largest template of a family has: reply1 … reply4.
	maxVariables = 4
)

// Compose finds the template that carries a text and the values of its variables. templates is name to template code: the
// family's name and a number N for a template of N variables a, b, c, d (reply3, notice1 …), the bare name for one with the
// single variable content. The text is cut at its own punctuation into few pieces of at most 35 characters (and between words
// or characters only where it would not fit otherwise); what Aliyun forbids in a variable (【】, addresses of pages, emoji, control characters) is taken out before. A template with content alone
// takes up to 35 characters and shortens what is longer with "…". The error is of the kind MessageRefused.
func Compose(templates map[string]string, family, text string) (code string, params map[string]string, err *sms.Error) {
	text = sms.Line(text)
	if text == "" {
		return "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeTextEmpty, Message: "去掉不能发的字符后没有内容"}
	}
	var sizes []int // of the configured templates
	for n := 1; n <= maxVariables; n++ {
		if templates[family+strconv.Itoa(n)] != "" {
			sizes = append(sizes, n)
		}
	}
	for _, shortest := range []int{maxVariable / 3, maxVariable} { // first where it reads well, then where it fits
		pieces := sms.Split(text, maxVariable, shortest)
		for _, n := range sizes {
			if values := sms.Spread(pieces, n); values != nil {
				params := make(map[string]string, n)
				for i, v := range values {
					params[string(rune('a'+i))] = v
				}
				return templates[family+strconv.Itoa(n)], params, nil
			}
		}
	}
	if code := templates[family]; code != "" {
		return code, map[string]string{"content": sms.Shorten(text, maxVariable)}, nil
	}
	if sizes != nil {
		return "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeTextUnfit, Message: "已配置的短信模板都放不下（内容太长，或比变量还少）"}
	}
	return "", nil, &sms.Error{Kind: sms.MessageRefused, Code: CodeNoTemplate, Message: "没有为这类短信（" + family + "）配置模板"}
}

// Compose says what a phone will show of a message, in how many parts and for what money. The fixed words of the template are those of
// Templates; a template of another name is taken to hold its variable and nothing else.
func (g *Gateway) Compose(m sms.Outgoing) (sms.Composed, *sms.Error) {
	if _, ok := sms.NormalPhone(m.Phone); !ok {
		return sms.Composed{}, &sms.Error{Kind: sms.MessageRefused, Code: CodePhone, Message: "不是大陆手机号码"}
	}
	texts := map[string]string{}
	for name := range g.config.Templates {
		texts[name] = "${content}"
	}
	for _, t := range Templates() {
		if texts[t.Name] != "" {
			texts[t.Name] = t.Text
		}
	}
	text, values, err := Compose(texts, m.Family, m.Text)
	if err != nil {
		return sms.Composed{}, err
	}
	for name, v := range values {
		text = strings.ReplaceAll(text, "${"+name+"}", v)
	}
	c := sms.Composed{Text: text, Values: values, Full: "【" + g.config.SignName + "】" + text}
	c.Length, c.Parts = sms.Length(c.Full), sms.Parts(c.Full)
	c.Cost = sms.Price(c.Parts) * g.config.Price
	return c, nil
}
