package main

import (
	"fmt"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// demoTemplates are the templates that docs/短信模板.md tells operators to apply for, approved by the emulator.
func demoTemplates() (out []emulator.SMSTemplate) {
	codes := demoTemplateCodes()
	for _, t := range aliyun.Templates() {
		out = append(out, emulator.SMSTemplate{Code: codes[t.Name], Text: t.Text})
	}
	return out
}

func demoTemplateCodes() map[string]string {
	codes := map[string]string{}
	for i, t := range aliyun.Templates() {
		codes[t.Name] = fmt.Sprintf("SMS_1000%02d", i+1)
	}
	return codes
}
