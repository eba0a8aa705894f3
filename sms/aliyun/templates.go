package aliyun

import (
	"fmt"
	"strings"

	"github.com/nongxun/nongxun/sms"
)

// Template is one that an operator applies for at Aliyun, under the name that Compose knows it by.
type Template struct {
	Name string // reply1 … reply4, notice1 … notice4
	Text string // with ${a} … ${d}
}

// Templates are those that docs/短信模板.md tells operators to apply for. Each ends in fixed text that goes well after a full stop
// that was dropped as well as after a question mark that was kept, and none has two variables side by side.
func Templates() []Template {
	var all []Template
	for _, family := range []struct{ name, before string }{{sms.Reply, ""}, {sms.Notice, "通知："}} {
		for n := 1; n <= maxVariables; n++ {
			variables := strings.Split("${a} ${b} ${c} ${d}", " ")[:n]
			all = append(all, Template{
				Name: fmt.Sprint(family.name, n),
				Text: family.before + strings.Join(variables, "，") + "（农讯）",
			})
		}
	}
	return all
}
