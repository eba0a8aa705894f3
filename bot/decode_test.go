package bot

import (
	"encoding/xml"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/text/encoding/simplifiedchinese"
	"pgregory.net/rapid"
)

// textXML is a message as the platform's own documentation shows it.
const textXML = `<xml><ToUserName><![CDATA[gh_680bdefc8c5d]]></ToUserName>
<FromUserName><![CDATA[oIDrpjpQ8j8mBuQ8nM26HWzNEZgg]]></FromUserName>
<CreateTime>1414243737</CreateTime>
<MsgType><![CDATA[text]]></MsgType>
<Content><![CDATA[黄桃5000斤，3块5一斤，炎陵中村的]]></Content>
<MsgId>6074130599188426998</MsgId>
</xml>`

// Payloads: wechatpy tests/test_parser.py and test_events.py, WeRoBot tests/test_parser.py, Senparc MessageHandlerTests, the
// platform's pages on events, and a community report of July 2024 ("failed:freq limit").
var payloads = []struct {
	name string
	body string // what follows sender, receiver and time
	want Message
}{
	{
		"text", `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[ this is a test ]]></Content><MsgId>1234567890123456</MsgId>`,
		Message{Type: TypeText, MsgID: 1234567890123456, Text: " this is a test "},
	},
	{
		"menu message item", `<MsgType>text</MsgType><Content>猪肉</Content><bizmsgmenuid>price:pig</bizmsgmenuid><MsgId>7</MsgId>`,
		Message{Type: TypeText, MsgID: 7, Text: "猪肉", MenuItemID: "price:pig"},
	},
	{
		"image", `<MsgType>image</MsgType><PicUrl>http://mmbiz.qpic.cn/a?b=1&amp;c=2</PicUrl><MediaId>m</MediaId><MsgId>7</MsgId>`,
		Message{Type: TypeImage, MsgID: 7, PicURL: "http://mmbiz.qpic.cn/a?b=1&c=2", MediaID: "m"},
	},
	{
		"voice", `<MsgType>voice</MsgType><MediaId>m</MediaId><MediaId16K>n</MediaId16K><Format>amr</Format><Recognition><![CDATA[Meow~]]></Recognition><MsgId>7</MsgId>`,
		Message{Type: TypeVoice, MsgID: 7, MediaID: "m", MediaID16K: "n", Format: "amr", Recognition: "Meow~"},
	},
	{
		"voice not recognised", `<MsgType>voice</MsgType><Recognition><![CDATA[]]></Recognition><MediaId>m</MediaId><MsgId>7</MsgId>`,
		Message{Type: TypeVoice, MsgID: 7, MediaID: "m"},
	},
	{
		"video", `<MsgType>video</MsgType><MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId><MsgId>7</MsgId>`,
		Message{Type: TypeVideo, MsgID: 7, MediaID: "m", ThumbMediaID: "t"},
	},
	{
		"shortvideo", `<MsgType>shortvideo</MsgType><MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId><MsgId>7</MsgId>`,
		Message{Type: TypeShortVideo, MsgID: 7, MediaID: "m", ThumbMediaID: "t"},
	},
	{
		"location", `<MsgType>location</MsgType><Location_X>23.134521</Location_X><Location_Y>-113.358803</Location_Y><Scale>20</Scale><Label><![CDATA[位置信息]]></Label><MsgId>7</MsgId>`,
		Message{Type: TypeLocation, MsgID: 7, Location: &Location{LatitudeE6: 23134521, LongitudeE6: -113358803, Scale: 20, Label: "位置信息"}},
	},
	{
		"link", `<MsgType>link</MsgType><Title>公众平台</Title><Description>官网</Description><Url>url</Url><MsgId>7</MsgId>`,
		Message{Type: TypeLink, MsgID: 7, Title: "公众平台", Description: "官网", URL: "url"},
	},
	{"unknown kind", `<MsgType>notsure</MsgType><FileKey>k</FileKey><MsgId>7</MsgId>`, Message{Type: "notsure", MsgID: 7}},
	{"id too large", `<MsgType>text</MsgType><Content>a</Content><MsgId>99999999999999999999</MsgId>`, Message{Type: TypeText, Text: "a"}},
	{"subscribe", `<MsgType>event</MsgType><Event>subscribe</Event>`, Message{Type: TypeEvent, Event: EventSubscribe}},
	{
		"subscribe by code", `<MsgType>event</MsgType><Event>subscribe</Event><EventKey>qrscene_123123</EventKey><Ticket>TICKET</Ticket>`,
		Message{Type: TypeEvent, Event: EventSubscribe, EventKey: "qrscene_123123", Scene: "123123", Ticket: "TICKET"},
	},
	{
		"subscribe after paying", `<MsgType>event</MsgType><Event>subscribe</Event><EventKey>last_trade_no_4008</EventKey>`,
		Message{Type: TypeEvent, Event: EventSubscribe, EventKey: "last_trade_no_4008"},
	},
	{"unsubscribe", `<MsgType>event</MsgType><Event>unsubscribe</Event><EventKey/>`, Message{Type: TypeEvent, Event: EventUnsubscribe}},
	{
		"SCAN", `<MsgType>event</MsgType><Event>SCAN</Event><EventKey>SCENE_VALUE</EventKey><Ticket>T</Ticket>`,
		Message{Type: TypeEvent, Event: EventScan, EventKey: "SCENE_VALUE", Scene: "SCENE_VALUE", Ticket: "T"},
	},
	{
		"LOCATION", `<MsgType>event</MsgType><Event>LOCATION</Event><Latitude>23.137466</Latitude><Longitude>113.352425</Longitude><Precision>119.385040</Precision>`,
		Message{Type: TypeEvent, Event: EventLocation, Location: &Location{LatitudeE6: 23137466, LongitudeE6: 113352425, PrecisionMetres: 119}},
	},
	{"CLICK", `<MsgType>event</MsgType><Event>CLICK</Event><EventKey>sell</EventKey>`, Message{Type: TypeEvent, Event: EventClick, EventKey: "sell"}},
	{
		"VIEW", `<MsgType>event</MsgType><Event>VIEW</Event><EventKey>www.qq.com</EventKey><MenuId>M</MenuId>`,
		Message{Type: TypeEvent, Event: EventView, EventKey: "www.qq.com", MenuID: "M"},
	},
	{
		"view_miniprogram", `<MsgType>event</MsgType><Event>view_miniprogram</Event><EventKey>pages/index</EventKey><MenuId>MENUID</MenuId>`,
		Message{Type: TypeEvent, Event: EventViewMiniProgram, EventKey: "pages/index", MenuID: "MENUID"},
	},
	{
		"scancode_push", `<MsgType>event</MsgType><Event>scancode_push</Event><EventKey>6</EventKey><ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>`,
		Message{Type: TypeEvent, Event: EventScanCodePush, EventKey: "6", ScanCode: &ScanCode{"qrcode", "1"}},
	},
	{
		"pic_sysphoto", `<MsgType>event</MsgType><Event>pic_sysphoto</Event><EventKey>6</EventKey><SendPicsInfo><Count>2</Count><PicList><item><PicMd5Sum>a</PicMd5Sum></item>
		<item><PicMd5Sum>b</PicMd5Sum></item></PicList></SendPicsInfo>`,
		Message{Type: TypeEvent, Event: EventPicSysPhoto, EventKey: "6", Pictures: []string{"a", "b"}},
	},
	{
		"location_select", `<MsgType>event</MsgType><Event>location_select</Event><EventKey>6</EventKey><SendLocationInfo><Location_X>23</Location_X><Location_Y>113</Location_Y><Scale>15</Scale><Label>广州市海珠区客村艺苑路 106号</Label><Poiname></Poiname></SendLocationInfo>`,
		Message{Type: TypeEvent, Event: EventLocationSelect, EventKey: "6", Location: &Location{LatitudeE6: 23e6, LongitudeE6: 113e6, Scale: 15, Label: "广州市海珠区客村艺苑路 106号"}},
	},
	{
		"template finished", `<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>200163836</MsgID><Status>success</Status>`,
		Message{Type: TypeEvent, Event: EventTemplateFinished, Job: &Job{Op: "message/template/send", ID: 200163836, Status: "success", OK: true}},
	},
	{
		"template too often", `<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event> <MsgID>3557254367693750277</MsgID> <Status>failed:freq limit</Status>`,
		Message{Type: TypeEvent, Event: EventTemplateFinished, Job: &Job{Op: "message/template/send", ID: 3557254367693750277, Status: "failed:freq limit"}},
	},
	{
		"mass finished", `<MsgType>event</MsgType><Event>MASSSENDJOBFINISH</Event><MsgID>1000001625</MsgID><Status>err(30003)</Status><TotalCount>4</TotalCount><FilterCount>3</FilterCount><SentCount>2</SentCount><ErrorCount>1</ErrorCount>`,
		Message{Type: TypeEvent, Event: EventMassFinished, Job: &Job{Op: "message/mass/send", ID: 1000001625, Status: "err(30003)", Total: 4, Filtered: 3, Sent: 2, Failed: 1}},
	},
	{
		"published", `<MsgType>event</MsgType><Event>PUBLISHJOBFINISH</Event><PublishEventInfo><publish_id>2247503051</publish_id><publish_status>0</publish_status></PublishEventInfo>`,
		Message{Type: TypeEvent, Event: EventPublishFinished, Job: &Job{Op: "freepublish/submit", ID: 2247503051, Status: "0", OK: true}},
	},
	{
		"notice popup", `<MsgType>event</MsgType><Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>
		<List><TemplateId>A</TemplateId><SubscribeStatusString>accept</SubscribeStatusString><PopupScene>2</PopupScene></List>
		<List><TemplateId>B</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgPopupEvent>`,
		Message{Type: TypeEvent, Event: EventSubscriptionPopup, Subscriptions: []Subscription{{TemplateID: "A", Effect: ConsentGiven, Status: "accept", PopupScene: "2"}, {TemplateID: "B", Status: "reject"}}},
	},
	{
		"notice change", `<MsgType>event</MsgType><Event>subscribe_msg_change_event</Event><SubscribeMsgChangeEvent><List><TemplateId>A</TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List></SubscribeMsgChangeEvent>`,
		Message{Type: TypeEvent, Event: EventSubscriptionChange, Subscriptions: []Subscription{{TemplateID: "A", Effect: ConsentWithdrawn, Status: "reject"}}},
	},
	{
		"notice sent", `<MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><TemplateId>A</TemplateId><MsgID>1700827132819554304</MsgID><ErrorCode>43101</ErrorCode><ErrorStatus>refuse</ErrorStatus></List></SubscribeMsgSentEvent>`,
		Message{Type: TypeEvent, Event: EventSubscriptionSent, Subscriptions: []Subscription{{TemplateID: "A", MsgID: 1700827132819554304, ErrorCode: 43101, ErrorStatus: "refuse"}}},
	},
	{
		"customer service", `<MsgType>event</MsgType><Event>kf_switch_session</Event><FromKfAccount>a@test</FromKfAccount><ToKfAccount>b@test</ToKfAccount>`,
		Message{Type: TypeEvent, Event: EventServiceSwitched, Service: &Service{From: "a@test", To: "b@test"}},
	},
	{"unknown event", `<MsgType>event</MsgType><Event>debug_demo</Event><debug_str>hello</debug_str>`, Message{Type: TypeEvent, Event: "debug_demo"}},
}

func TestDecodeTyped(t *testing.T) {
	for _, tt := range payloads {
		t.Run(tt.name, func(t *testing.T) {
			body := "<xml><ToUserName><![CDATA[gh_1]]></ToUserName>\n<FromUserName><![CDATA[oA]]></FromUserName>\n<CreateTime>1408090816</CreateTime>\n" + tt.body + "</xml>"
			m, err := Decode([]byte(body))
			if err != nil {
				t.Fatal(err)
			}
			tt.want.ToUser, tt.want.FromUser, tt.want.CreateTime = "gh_1", "oA", time.Unix(1408090816, 0).UTC()
			if d := cmp.Diff(&tt.want, m, cmpopts.IgnoreFields(Message{}, "Fields", "Raw")); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if string(m.Raw) != body {
				t.Error("Raw differs from the body")
			}
		})
	}
}

// What breaks other decoders must cost no message.
func TestDecodeTolerates(t *testing.T) {
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(`<?xml version="1.0" encoding="gb18030"?><xml><Content>冬笋五百斤</Content></xml>`)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, body, want string }{
		{"control character", "<xml><Content><![CDATA[a\bb\x00c]]></Content></xml>", "abc"},
		{"invalid UTF-8", "<xml><Content><![CDATA[好\xe5\xa5吗]]></Content></xml>", "好\uFFFD吗"},
		{"numeric entities", "<xml><Content>&#40644;&#x6843;&lt;5&gt;&amp;&quot;&apos;</Content></xml>", "黄桃<5>&\"'"},
		{"surrogates as entities", "<xml><Content>&#xD83D;&#xDE00;&#xD83D;!</Content></xml>", "😀\uFFFD!"},
		{"no entities", "<xml><Content>a & b &nbsp; &#; &#x110000; &</Content></xml>", "a & b &nbsp; &#; &#x110000; &"},
		{"split CDATA", "<xml><Content><![CDATA[a]]]]><![CDATA[>b]]></Content></xml>", "a]]>b"},
		{"tags in CDATA", "<xml><Content><![CDATA[<b>1</b> & </Content>]]></Content></xml>", "<b>1</b> & </Content>"},
		{"blanks around CDATA", "<xml><Content>\n  <![CDATA[ a ]]>\n </Content></xml>", " a "},
		{"only blanks", "<xml><Content>\n </Content></xml>", ""},
		{"declared GB18030, is UTF-8", `<?xml version="1.0" encoding="gb18030"?><xml><Content>冬笋</Content></xml>`, "冬笋"},
		{"declared GB18030, is GB18030", gb, "冬笋五百斤"},
		{"byte order mark", "\ufeff<xml><Content>a</Content></xml>", "a"},
		{"comment and doctype", "<!DOCTYPE xml><!-- <Content>x</Content> --><xml><Content>a</Content></xml>", "a"},
		{"attributes", `<xml a="1>2"><Content b='>'>a</Content></xml>`, "a"},
		{"bare less-than", "<xml><Content>3 < 5</Content></xml>", "3 < 5"},
		{"never closed", "<xml><Content><![CDATA[a", "a"},
		{"closed by the wrong tag", "<xml><Item><Content>a</Item></xml>", ""},
		{"stray closing tag", "<xml></b><Content>a</c></Content></xml>", "a"},
		{"repeated", "<xml><Content>a</Content><Content>b</Content></xml>", "a"},
		{"behind the end", "<xml><Content>a</Content></xml><Content>b</Content>", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Decode([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if m.Text != tt.want {
				t.Errorf("got %q, want %q", m.Text, tt.want)
			}
		})
	}
}

func TestDecodeFields(t *testing.T) {
	m, err := Decode([]byte(`<xml><a>1</a><a>2</a><b><c>3</c><c><![CDATA[]]></c></b><d/></xml>`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"a": {"1", "2"}, "b/c": {"3", ""}, "d": {""}}
	if d := cmp.Diff(want, m.Fields); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func TestDecodeTime(t *testing.T) {
	for in, want := range map[string]int64{"2147483648": 2147483648, "4102444800": 4102444800, "\n17": 17} {
		m, _ := Decode([]byte("<xml><CreateTime>" + in + "</CreateTime></xml>"))
		if m.CreateTime.Unix() != want {
			t.Errorf("%q: got %v", in, m.CreateTime)
		}
	}
	for _, in := range []string{"", "x", "-5", "999999999999999"} {
		m, _ := Decode([]byte("<xml><CreateTime>" + in + "</CreateTime></xml>"))
		if !m.CreateTime.IsZero() {
			t.Errorf("%q: got %v, want none", in, m.CreateTime)
		}
	}
}

// The platform's page on notices shows this: the time is a string, a single item is an object.
func TestDecodeJSON(t *testing.T) {
	m, err := Decode([]byte(`{"ToUserName":"gh_1","FromUserName":"o7","CreateTime":"1620963428","MsgType":"event","Event":"subscribe_msg_sent_event",
		"List":{"TemplateId":"BE","MsgID":"1864323726461255680","ErrorCode":"0","ErrorStatus":"success"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if m.FromUser != "o7" || m.CreateTime.Unix() != 1620963428 || len(m.Subscriptions) != 1 || m.Subscriptions[0].MsgID != 1864323726461255680 {
		t.Errorf("got %+v", m)
	}
	m, err = Decode([]byte(`{"MsgType":"event","Event":"subscribe_msg_popup_event","List":[{"TemplateId":"A"},{"TemplateId":"B"}],"n":1,"t":true,"z":null}`))
	if err != nil || len(m.Subscriptions) != 2 || m.Fields["n"][0] != "1" || m.Fields["t"][0] != "true" || m.Fields["z"][0] != "" {
		t.Errorf("got %+v, %v", m, err)
	}
}

func TestDecodeNoMessage(t *testing.T) {
	for _, body := range []string{"", "success", "[1]", "{", `{"a":}`, "<", "<!-- x -->", "a=1&b=2", strings.Repeat(`{"a":`, 100)} {
		if _, err := Decode([]byte(body)); !errors.Is(err, ErrNotMessage) {
			t.Errorf("%q: got %v, want ErrNotMessage", body, err)
		}
	}
}

// A hostile body costs no more than it is long.
func TestDecodeBounds(t *testing.T) {
	for _, body := range []string{
		strings.Repeat("<a>", 300_000),
		"<xml>" + strings.Repeat("<a/>", 250_000),
		"<xml><a>" + strings.Repeat("<![CDATA[a]]>", 80_000),
		"<xml>" + strings.Repeat("<"+strings.Repeat("n", 1000)+">", 1000),
		"<xml>" + strings.Repeat("</b>", 250_000),
		"<xml>" + strings.Repeat("&", 1<<20),
		strings.Repeat("<!--", 1<<18),
	} {
		start := time.Now()
		m, err := Decode([]byte(body))
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%.20q: took %v", body, took)
		}
		if err != nil {
			continue
		}
		n := 0
		for _, values := range m.Fields {
			n += len(values)
		}
		if n > maxFields {
			t.Errorf("%.20q: %d fields", body, n)
		}
	}
}

// Any text comes back as it was written, however encoding/xml writes it down.
func TestDecodeAgreesWithEncodingXML(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type message struct {
			XMLName xml.Name `xml:"xml"`
			From    string   `xml:"FromUserName"`
			Text    string   `xml:"Content"`
		}
		in := message{From: rapid.StringMatching(`o[A-Za-z0-9_-]{27}`).Draw(t, "from"), Text: rapid.String().Draw(t, "text")}
		body, err := xml.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Decode(body)
		if err != nil {
			t.Fatal(err)
		}
		want := clean(in.Text)
		if !blank(want) && m.Text != clean(strings.Map(xmlRune, in.Text)) || m.FromUser != in.From {
			t.Fatalf("%s: got %q, want %q", body, m.Text, want)
		}
	})
}

// xmlRune is what encoding/xml writes for a character that XML forbids.
func xmlRune(r rune) rune {
	if r < 0x20 && r != '\n' && r != '\t' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
		return utf8.RuneError
	}
	return r
}

func TestKey(t *testing.T) {
	parse := func(from, body string) string {
		m, err := Decode([]byte("<xml><FromUserName>" + from + "</FromUserName><CreateTime>1408090816</CreateTime>" + body + "</xml>"))
		if err != nil {
			t.Fatal(err)
		}
		return m.Key()
	}
	bodies := []string{
		`<MsgType>text</MsgType><MsgId>1</MsgId>`,
		`<MsgType>text</MsgType><MsgId>2</MsgId>`,
		`<MsgType>text</MsgType><MsgId>99999999999999999999</MsgId>`,
		`<MsgType>text</MsgType><MsgId>99999999999999999998</MsgId>`,
		`<MsgType>file</MsgType><Title>a</Title>`,
		`<MsgType>file</MsgType><Title>b</Title>`,
		`<MsgType>event</MsgType><Event>CLICK</Event><EventKey>a</EventKey>`,
		`<MsgType>event</MsgType><Event>CLICK</Event><EventKey>b</EventKey>`,
		`<MsgType>event</MsgType><Event>VIEW</Event><EventKey>a</EventKey>`,
		`<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>1</MsgID>`,
		`<MsgType>event</MsgType><Event>TEMPLATESENDJOBFINISH</Event><MsgID>2</MsgID>`,
		`<MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><MsgID>1</MsgID></List></SubscribeMsgSentEvent>`,
		`<MsgType>event</MsgType><Event>subscribe_msg_sent_event</Event><SubscribeMsgSentEvent><List><MsgID>2</MsgID></List></SubscribeMsgSentEvent>`,
	}
	seen := map[string]string{}
	for _, from := range []string{"oA", "oB", "oA|1"} {
		for _, b := range bodies {
			k := parse(from, b)
			if was, ok := seen[k]; ok {
				t.Errorf("one key for %s and %s", was, from+b)
			}
			seen[k] = from + b
			if k != parse(from, b) || len(k) != 27 || !strings.HasPrefix(k, "wx:") || strings.Contains(k, from) {
				t.Errorf("key %q of %s", k, b)
			}
		}
	}
	if (&Message{FromUser: "oA", MsgID: 1}).Key() != parse("oA", bodies[0]) {
		t.Error("a message made by hand has another key than the same one decoded")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(textXML))
	for _, p := range payloads {
		f.Add([]byte("<xml>" + p.body + "</xml>"))
	}
	f.Add([]byte(`{"List":[{"TemplateId":"A"}],"CreateTime":"1"}`))
	f.Add([]byte("<xml><a>&#xD83D;&#xDE00;<![CDATA[]]]]><![CDATA[>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := Decode(body)
		if err != nil {
			return
		}
		for path, values := range m.Fields {
			for _, v := range append(values, path) {
				if !utf8.ValidString(v) || clean(v) != v {
					t.Fatalf("unclean %q", v)
				}
			}
		}
		again, err := Decode(body)
		if err != nil || again.Key() != m.Key() {
			t.Fatal("decoding twice gives two keys")
		}
		if out := (Reply{Text: m.Text}).xml(m, time.Unix(1, 0)); out != nil {
			wellFormed(t, out)
		}
	})
}

func BenchmarkDecodeText(b *testing.B) {
	body := []byte(textXML)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Decode(body); err != nil {
			b.Fatal(err)
		}
	}
}

// The short way and the scanner read the same.
func TestFlatAgreesWithScanner(t *testing.T) {
	parts := []string{"<a>", "</a>", "<b>", "</b>", "<![CDATA[", "]]>", "x", " ", "\n", "&lt;", "<a/>", "<", "桃", "\b", "<b c='1'>"}
	rapid.Check(t, func(t *rapid.T) {
		s := "<xml>" + strings.Join(rapid.SliceOf(rapid.SampledFrom(parts)).Draw(t, "parts"), "") + "</xml>"
		flat, ok := flatLeaves(nil, s)
		if !ok {
			return
		}
		sc := scanner{s: s}
		slow, _ := sc.all()
		if d := cmp.Diff(slow, flat, cmp.AllowUnexported(leaf{}), cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%q (-scanner +short)\n%s", s, d)
		}
	})
}

func BenchmarkDecodeTextEncodingXML(b *testing.B) {
	body := []byte(textXML)
	var m struct{ ToUserName, FromUserName, CreateTime, MsgType, Content, MsgId string }
	b.ReportAllocs()
	for b.Loop() {
		if err := xml.Unmarshal(body, &m); err != nil {
			b.Fatal(err)
		}
	}
}
