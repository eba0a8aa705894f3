package bot

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func openids(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("oTD8i6Wz6jQZPSNJlzQv43A%05d", i)
	}
	return list
}

func TestSendMass(t *testing.T) {
	tests := []struct {
		name string
		mass Mass
		want string
	}{
		{
			"text",
			Mass{To: []string{"a", "b"}, Text: "冬季对接会<11月30日>截止\b", ClientMsgID: "b7-1"},
			`{"touser":["a","b"],"msgtype":"text","text":{"content":"冬季对接会<11月30日>截止"},"clientmsgid":"b7-1"}`,
		},
		{"articles", Mass{To: []string{"a", "b"}, MediaID: "M1"}, `{"touser":["a","b"],"msgtype":"mpnews","mpnews":{"media_id":"M1"}}`},
		{
			"a reprint",
			Mass{To: []string{"a", "b"}, MediaID: "M1", Reprint: true},
			`{"touser":["a","b"],"msgtype":"mpnews","mpnews":{"media_id":"M1"},"send_ignore_reprint":1}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newPlatform(t)
			p.always(`{"errcode":0,"errmsg":"send job submission success","msg_id":34182,"msg_data_id":206227730}`)
			id, err := p.client(ClientConfig{}).SendMass(t.Context(), tt.mass)
			if err != nil || id != 34182 {
				t.Fatalf("got %d, %v", id, err)
			}
			if p.calls[0].Path != "message/mass/send" {
				t.Errorf("asked %s", p.calls[0].Path)
			}
			sameJSON(t, p.calls[0].Body, tt.want)
		})
	}
}

// What the platform would refuse, or cut without a word, does not leave the house.
func TestMassIsChecked(t *testing.T) {
	p := newPlatform(t)
	c := p.client(ClientConfig{})
	for name, m := range map[string]Mass{
		"nobody":           {Text: "a"},
		"one person":       {To: openids(1), Text: "a"},
		"too many":         {To: openids(MaxMass + 1), Text: "a"},
		"no text":          {To: openids(2), Text: " \n"},
		"a long text":      {To: openids(2), Text: strings.Repeat("桃", 683)},
		"both":             {To: openids(2), Text: "a", MediaID: "M"},
		"a long reference": {To: openids(2), Text: "a", ClientMsgID: strings.Repeat("x", 65)},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.SendMass(t.Context(), m)
			checkError(t, err, Refused, 0)
		})
	}
	if len(p.calls) != 0 {
		t.Errorf("%d calls were made", len(p.calls))
	}
	if _, err := c.SendMass(t.Context(), Mass{To: openids(MaxMass), Text: strings.Repeat("桃", 682)}); err == nil || len(p.calls) != 1 {
		t.Error("a call without msg_id must fail only after it was made")
	}
}

func TestMassAnswers(t *testing.T) {
	tests := []struct {
		answer string
		kind   Kind
		code   int
	}{
		{`{"errcode":40003,"errmsg":"invalid openid hint: [oTD8i6Wz6jQZPSNJlzQv43A00001]"}`, SplitList, 40003},
		{`{"errcode":49003,"errmsg":"not match openid with appid"}`, SplitList, 49003},
		{`{"errcode":48003,"errmsg":"user not agree mass-send protocol"}`, APIStopped, 48003},
		{`{"errcode":45028,"errmsg":"has no masssend quota"}`, NextChannel, 45028},
		{`{"errcode":45066,"errmsg":"same clientmsgid retry too fast"}`, RetryLater, 45066},
		{`{"errcode":45065,"errmsg":"clientmsgid exist"}`, Unknown, 45065},
		{`{"errcode":0,"errmsg":"ok"}`, Unknown, 0},
	}
	for _, tt := range tests {
		p := newPlatform(t)
		p.always(tt.answer)
		_, err := p.client(ClientConfig{}).SendMass(t.Context(), Mass{To: openids(3), Text: "a", ClientMsgID: "r"})
		e := checkError(t, err, tt.kind, tt.code)
		if strings.Contains(e.Error(), "oTD8i6") {
			t.Errorf("the error shows an openid: %v", e)
		}
	}
	p := newPlatform(t)
	p.always(`{"errcode":45065,"errmsg":"clientmsgid exist","msg_id":17}`)
	if id, err := p.client(ClientConfig{}).SendMass(t.Context(), Mass{To: openids(2), Text: "a", ClientMsgID: "r"}); err != nil || id != 17 {
		t.Errorf("a repeat: got %d, %v", id, err)
	}
}

func TestMassStatus(t *testing.T) {
	p := newPlatform(t)
	p.always(`{"msg_id":201053012,"msg_status":"SEND_SUCCESS"}`)
	got, err := p.client(ClientConfig{}).MassStatus(t.Context(), 201053012)
	if err != nil || got != MassSent {
		t.Errorf("got %q, %v", got, err)
	}
	sameJSON(t, p.calls[0].Body, `{"msg_id":"201053012"}`)
}

func TestSendNotice(t *testing.T) {
	p := newPlatform(t)
	c := p.client(ClientConfig{})
	n := Notice{To: testOpenID, TemplateID: "N1", Page: "https://a/?b&c", Data: map[string]string{"thing1": "炎陵黄桃\b", "amount2": "3.5元"}}
	p.always(`{"errcode":0,"errmsg":"ok","msgid":1864323726461255680}`)
	id, err := c.SendNotice(t.Context(), n)
	if err != nil || id != 1864323726461255680 {
		t.Fatalf("got %d, %v", id, err)
	}
	if p.calls[0].Path != "message/subscribe/bizsend" {
		t.Errorf("asked %s", p.calls[0].Path)
	}
	sameJSON(t, p.calls[0].Body, `{"touser":"`+testOpenID+`","template_id":"N1","page":"https://a/?b&c","data":{"thing1":{"value":"炎陵黄桃"},"amount2":{"value":"3.5元"}}}`)
	for answer, kind := range map[string]Kind{
		`{"errcode":43101,"errmsg":"user refuse to accept the msg rid: 6-a"}`:       NextChannel,
		`{"errcode":43004,"errmsg":"require subscribe"}`:                            PersonGone,
		`{"errcode":47003,"errmsg":"argument invalid! data.thing1.value is empty"}`: Refused,
		`{"errcode":40037,"errmsg":"invalid template_id"}`:                          TemplateStopped,
	} {
		p.always(answer)
		_, err := c.SendNotice(t.Context(), n)
		var e *Error
		if !errors.As(err, &e) || e.Kind != kind {
			t.Errorf("%s: got %v", answer, err)
		}
	}
}
