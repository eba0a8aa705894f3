package aliyun_test

import (
	"os"
	"strings"
	"testing"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// What the operators are told to apply for is what Compose fills.
func TestTemplatesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/短信模板.md")
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]string{}
	for _, tpl := range aliyun.Templates() {
		if !strings.Contains(string(doc), "| "+tpl.Name+" | `"+tpl.Text+"` |") {
			t.Errorf("docs/短信模板.md lacks %s: %s", tpl.Name, tpl.Text)
		}
		codes[tpl.Name] = tpl.Text
	}
	for _, c := range []struct{ family, text, want string }{
		{sms.Reply, "产地是哪个乡镇？", "产地是哪个乡镇？（农讯）"},
		{
			sms.Reply, "登记好了：供应 黄桃 5000斤，3.5元/斤，炎陵县中村乡。对的回1，改价回2，改数量回3，不要了回0。",
			"登记好了：供应 黄桃 5000斤，3.5元/斤，炎陵县中村乡，对的回1，改价回2，改数量回3，不要了回0（农讯）",
		},
		{sms.Notice, "长沙红星11月24日黄桃3.5元/斤。", "通知：长沙红星11月24日黄桃3.5元/斤（农讯）"},
	} {
		text, params, refused := aliyun.Compose(codes, c.family, c.text)
		if refused != nil {
			t.Fatal(refused)
		}
		for name, value := range params {
			text = strings.ReplaceAll(text, "${"+name+"}", value)
		}
		if text != c.want {
			t.Errorf("%q is sent as %q, want %q", c.text, text, c.want)
		}
	}
}
