package emulator

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// element is one field of a callback; numbers go bare, texts as CDATA, as the platform writes them.
type element struct {
	name, value string
	number      bool
	children    []element // instead of a value
}

func text(name, value string) element { return element{name: name, value: value} }

func number(name string, value int64) element {
	return element{name: name, value: strconv.FormatInt(value, 10), number: true}
}

func writeXML(fields []element) []byte {
	var b strings.Builder
	b.WriteString("<xml>")
	writeElements(&b, fields)
	b.WriteString("</xml>")
	return []byte(b.String())
}

func writeElements(b *strings.Builder, fields []element) {
	for _, f := range fields {
		b.WriteString("<" + f.name + ">")
		switch {
		case f.children != nil:
			writeElements(b, f.children)
		case f.number:
			b.WriteString(f.value)
		default:
			b.WriteString("<![CDATA[" + strings.ReplaceAll(f.value, "]]>", "]]]]><![CDATA[>") + "]]>")
		}
		b.WriteString("</" + f.name + ">\n")
	}
}

type sealedReply struct {
	XMLName      xml.Name `xml:"xml"`
	Encrypt      string
	MsgSignature string
	TimeStamp    string
	Nonce        string
}

type passiveReply struct {
	XMLName      xml.Name `xml:"xml"`
	ToUserName   string
	FromUserName string
	CreateTime   string
	MsgType      string
	Content      *string
	Image        *struct{ MediaId string } `xml:"Image"`
	Voice        *struct{ MediaId string } `xml:"Voice"`
	Video        *struct{ MediaId, Title, Description string }
	Music        *struct{ Title, Description, MusicUrl string }
	ArticleCount string
	Articles     []struct{ Title, Description, PicUrl, Url string } `xml:"Articles>item"`
}

// ErrMalformed is wrapped by errors about an answer that the platform cannot use. The user sees that the account is out of order.
var ErrMalformed = errors.New("malformed passive reply")

// readReply checks the body of a 200 answer to a callback as the platform would and returns what the user sees; nil is nothing.
func (w *WeChat) readReply(openid string, body []byte) (*Bubble, error) {
	// "success" and an empty body need no encryption in any mode.
	if s := string(body); s == "" || s == "success" {
		return nil, nil
	}
	body, err := w.unseal(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	var r passiveReply
	if err := strictXML(body, &r); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	b, err := r.bubble()
	if err == nil {
		switch {
		case r.ToUserName != openid:
			err = errors.New("ToUserName is not the sender of the message")
		case r.FromUserName != w.o.Account:
			err = fmt.Errorf("FromUserName is %q, not the account", r.FromUserName)
		case !seconds(r.CreateTime):
			err = fmt.Errorf("CreateTime %q is not a time in seconds", r.CreateTime)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return b, nil
}

// unseal decrypts a reply where the mode asks for it.
func (w *WeChat) unseal(body []byte) ([]byte, error) {
	if w.o.Mode == ModePlain {
		return body, nil
	}
	var s sealedReply
	if err := strictXML(body, &s); err != nil {
		return nil, err
	}
	if s.Encrypt == "" {
		if w.o.Mode == ModeCompatible {
			return body, nil
		}
		return nil, errors.New("not encrypted, but the mode is secure")
	}
	if !seconds(s.TimeStamp) {
		return nil, fmt.Errorf("TimeStamp %q is not a time in seconds", s.TimeStamp)
	}
	if s.Nonce == "" {
		return nil, errors.New("no Nonce")
	}
	if want := wechatSignature(w.o.Token, s.TimeStamp, s.Nonce, s.Encrypt); s.MsgSignature != want {
		return nil, errors.New("MsgSignature does not fit")
	}
	return w.sealer.open(s.Encrypt)
}

func (r *passiveReply) bubble() (*Bubble, error) {
	b := &Bubble{Kind: r.MsgType}
	switch r.MsgType {
	case "text":
		if r.Content == nil || *r.Content == "" {
			return nil, errors.New("a text without Content")
		}
		if len(*r.Content) > maxTextBytes {
			return nil, fmt.Errorf("element Content has %d bytes, more than %d", len(*r.Content), maxTextBytes)
		}
		b.Text = *r.Content
	case "image":
		if r.Image == nil || r.Image.MediaId == "" {
			return nil, errors.New("an image without MediaId")
		}
		b.Text, b.Media = "[图片]", r.Image.MediaId
	case "voice":
		if r.Voice == nil || r.Voice.MediaId == "" {
			return nil, errors.New("a voice without MediaId")
		}
		b.Text, b.Media = "[语音]", r.Voice.MediaId
	case "video":
		if r.Video == nil || r.Video.MediaId == "" {
			return nil, errors.New("a video without MediaId")
		}
		b.Text, b.Title, b.Media = r.Video.Description, r.Video.Title, r.Video.MediaId
	case "music":
		if r.Music == nil {
			return nil, errors.New("a music message without Music")
		}
		b.Text, b.Title, b.URL = r.Music.Description, r.Music.Title, r.Music.MusicUrl
	case "news":
		// Since 2018 one article is shown in a passive reply.
		if r.ArticleCount != "1" || len(r.Articles) != 1 {
			return nil, fmt.Errorf("news with ArticleCount %q and %d articles, exactly one is allowed", r.ArticleCount, len(r.Articles))
		}
		a := r.Articles[0]
		b.Title, b.Text, b.URL, b.Image = a.Title, a.Description, a.Url, a.PicUrl
	case "transfer_customer_service":
		b.Kind, b.Text = "system", "正在为你转接人工客服"
	default:
		return nil, fmt.Errorf("unknown MsgType %q", r.MsgType)
	}
	return b, nil
}

// maxTextBytes is the limit of a text, passive or by the customer-service interface.
const maxTextBytes = 2048

// strictXML decodes one whole XML document: no invalid UTF-8, no control characters, nothing after the end.
func strictXML(body []byte, into any) error {
	if !utf8.Valid(body) {
		return errors.New("not UTF-8")
	}
	if i := strings.IndexFunc(string(body), func(r rune) bool { return r < 0x20 && !slices.Contains([]rune{'\n', '\r', '\t'}, r) }); i >= 0 {
		return fmt.Errorf("control character at byte %d", i)
	}
	d := xml.NewDecoder(strings.NewReader(string(body)))
	if err := d.Decode(into); err != nil {
		return err
	}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if c, ok := token.(xml.CharData); !ok || strings.TrimSpace(string(c)) != "" {
			return errors.New("something follows </xml>")
		}
	}
}

func seconds(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n > 1e9 && n < 1e10
}

// unixSeconds is a callback's CreateTime or a signature's timestamp.
func unixSeconds(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
