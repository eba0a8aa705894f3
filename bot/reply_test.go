package bot

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// wellFormed fails unless b is XML that a strict parser reads to its end.
func wellFormed(t interface {
	Helper()
	Fatalf(string, ...any)
}, b []byte,
) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(string(b)))
	for {
		_, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", b, err)
		}
	}
}

func TestReplyXML(t *testing.T) {
	m := &Message{ToUser: "gh_1", FromUser: "oA"}
	head := "<xml><ToUserName><![CDATA[oA]]></ToUserName><FromUserName><![CDATA[gh_1]]></FromUserName><CreateTime>1700000000</CreateTime>"
	tests := []struct {
		name  string
		reply Reply
		want  string
	}{
		{"none", Reply{}, ""},
		{"nothing visible", Reply{Text: " \n\b"}, ""},
		{"text", Reply{Text: `登记好了<a href="https://a/?b&c">看</a>`}, head + `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[登记好了<a href="https://a/?b&c">看</a>]]></Content></xml>`},
		{"end of CDATA", Reply{Text: "a]]>b"}, head + `<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[a]]]]><![CDATA[>b]]></Content></xml>`},
		{"control and bad UTF-8", Reply{Text: "a\x00\b\xffb\uFFFE\n"}, head + "<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[a\uFFFDb\n]]></Content></xml>"},
		{"image", Reply{Image: "m"}, head + `<MsgType><![CDATA[image]]></MsgType><Image><MediaId><![CDATA[m]]></MediaId></Image></xml>`},
		{"news", Reply{News: &Article{"t", "d", "p", "u"}}, head + `<MsgType><![CDATA[news]]></MsgType><ArticleCount>1</ArticleCount><Articles><item><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description><PicUrl><![CDATA[p]]></PicUrl><Url><![CDATA[u]]></Url></item></Articles></xml>`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(tt.reply.xml(m, time.Unix(1700000000, 0))); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestReplyIsAlwaysReadable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		junk := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }), rapid.Just(strings.Repeat("桃]]>", 400)))
		r := Reply{Text: junk.Draw(t, "text")}
		m := &Message{ToUser: junk.Draw(t, "to"), FromUser: junk.Draw(t, "from")}
		out := r.xml(m, time.Unix(1, 0))
		if out == nil {
			return
		}
		wellFormed(t, out)
		var got struct{ ToUserName, Content string }
		if err := xml.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Content) > maxText || !utf8.ValidString(got.Content) || got.Content == "" {
			t.Fatalf("content %q", got.Content)
		}
	})
}

func TestCut(t *testing.T) {
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abc", 2, "ab"}, {"桃李", 5, "桃"}, {"桃李", 6, "桃李"}, {"桃", 1, ""}, {"a😀", 4, "a"}} {
		if got := cut(tt.in, tt.n); got != tt.want {
			t.Errorf("cut(%q, %d) = %q", tt.in, tt.n, got)
		}
	}
}
