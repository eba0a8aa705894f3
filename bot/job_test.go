package bot

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// massFinished is the example of the page 事件推送群发结果, with counts.
const massFinished = `<xml><ToUserName><![CDATA[gh_4d00ed8d6399]]></ToUserName><FromUserName><![CDATA[oV5CrjpxgaGXNHIQigzNlgLTnwic]]></FromUserName>
<CreateTime>1481013459</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[MASSSENDJOBFINISH]]></Event><MsgID>1000001625</MsgID>
<Status><![CDATA[err(30003)]]></Status><TotalCount>10000</TotalCount><FilterCount>9800</FilterCount><SentCount>0</SentCount><ErrorCount>9800</ErrorCount>
<CopyrightCheckResult><Count>2</Count><ResultList><item><ArticleIdx>1</ArticleIdx><UserDeclareState>0</UserDeclareState><AuditState>2</AuditState>
<OriginalArticleUrl><![CDATA[Url_1]]></OriginalArticleUrl><OriginalArticleType>1</OriginalArticleType><CanReprint>1</CanReprint>
<NeedReplaceContent>1</NeedReplaceContent><NeedShowReprintSource>1</NeedShowReprintSource></item><item><ArticleIdx>2</ArticleIdx>
<UserDeclareState>0</UserDeclareState><AuditState>1</AuditState><OriginalArticleUrl><![CDATA[]]></OriginalArticleUrl></item></ResultList>
<CheckState>2</CheckState></CopyrightCheckResult><ArticleUrlResult><ResultList><item><ArticleIdx>1</ArticleIdx><ArticleUrl><![CDATA[Url_A]]></ArticleUrl></item>
<item><ArticleIdx>2</ArticleIdx><ArticleUrl><![CDATA[Url_B]]></ArticleUrl></item></ResultList></ArticleUrlResult></xml>`

func TestMassJob(t *testing.T) {
	m, err := Decode([]byte(massFinished))
	if err != nil {
		t.Fatal(err)
	}
	want := &Job{
		Op: "message/mass/send", ID: 1000001625, Status: "err(30003)", Total: 10000, Filtered: 9800, Failed: 9800,
		Articles: []JobArticle{{1, "Url_A", CopyrightReprint, "Url_1"}, {2, "Url_B", CopyrightOriginal, ""}},
	}
	if d := cmp.Diff(want, m.Job); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestJobErr(t *testing.T) {
	tests := []struct {
		event  EventType
		status string
		ok     bool
		kind   Kind
		text   string
	}{
		{EventTemplateFinished, "success", true, 0, ""},
		{EventTemplateFinished, "failed:user block", false, NextChannel, "wechat message/template/send: failed:user block"},
		{EventTemplateFinished, "failed: system failed", false, RetryLater, "wechat message/template/send: failed: system failed"},
		{EventTemplateFinished, "failed:freq limit", false, RetryLater, "wechat message/template/send: failed:freq limit"},
		{EventMassFinished, "send success", true, 0, ""},
		{EventMassFinished, "sendsuccess", true, 0, ""},
		{EventMassFinished, "send fail", false, Refused, "wechat message/mass/send: send fail"},
		{EventMassFinished, "err(20008)", false, Refused, "wechat message/mass/send: err(20008) 涉嫌欺诈"},
		{EventMassFinished, "err(30001)", false, RetryLater, "wechat message/mass/send: err(30001) 原创校验系统错误"},
		{EventMassFinished, "err(40002)", false, Refused, "wechat message/mass/send: err(40002) 管理员在30分钟内没有确认"},
		{EventMassFinished, "err(", false, Refused, "wechat message/mass/send: err("},
	}
	for _, tt := range tests {
		m, err := Decode([]byte("<xml><MsgType>event</MsgType><Event>" + string(tt.event) + "</Event><MsgID>1</MsgID><Status>" + tt.status + "</Status></xml>"))
		if err != nil {
			t.Fatal(err)
		}
		err = m.Job.Err()
		var e *Error
		switch {
		case tt.ok != m.Job.OK || tt.ok != (err == nil):
			t.Errorf("%s %q: ok %v, %v", tt.event, tt.status, m.Job.OK, err)
		case !tt.ok && (!errors.As(err, &e) || e.Kind != tt.kind || e.Error() != tt.text):
			t.Errorf("%s %q: got %v %q", tt.event, tt.status, e.Kind, e)
		}
	}
}

func TestSubscriptionEffects(t *testing.T) {
	tests := []struct {
		name, body string
		want       []Subscription
	}{
		{
			"popup", `<xml><MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>
<List><TemplateId>A</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>2</PopupScene></List>
<List><TemplateId>B</TemplateId><SubscribeStatusString>reject</SubscribeStatusString><PopupScene>2</PopupScene></List></SubscribeMsgPopupEvent></xml>`,
			[]Subscription{{TemplateID: "A", Effect: ConsentGiven, Status: "accept", PopupScene: "2"}, {TemplateID: "B", Status: "reject", PopupScene: "2"}},
		},
		{
			"change", `{"MsgType":"event","Event":"subscribe_msg_change_event","List":{"TemplateId":"A","SubscribeStatusString":"reject"}}`,
			[]Subscription{{TemplateID: "A", Effect: ConsentWithdrawn, Status: "reject"}},
		},
		{
			"sent", `<xml><MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>A</TemplateId>
<MsgID>1700827132819554304</MsgID><ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List></SubscribeMsgSentEvent></xml>`,
			[]Subscription{{TemplateID: "A", MsgID: 1700827132819554304, ErrorStatus: "success"}},
		},
	}
	for _, tt := range tests {
		m, err := Decode([]byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(tt.want, m.Subscriptions); d != "" {
			t.Errorf("%s (-want +got)\n%s", tt.name, d)
		}
	}
	var e *Error
	if err := (&Subscription{ErrorCode: 43101, ErrorStatus: "user refuse"}).Err(); !errors.As(err, &e) || e.Kind != NextChannel || e.Code != 43101 {
		t.Errorf("got %v", err)
	}
	if err := (&Subscription{ErrorStatus: "success"}).Err(); err != nil {
		t.Errorf("got %v", err)
	}
}
