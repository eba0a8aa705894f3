package bot

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// maxText is how many bytes of text a passive reply or a customer-service message may carry (about 680 汉字).
const maxText = 2048

// Reply is the passive answer to a message: Text, or else Image, or else News. With none of them the platform is told "success"
// and the person sees nothing. The bytes that go out depend on nothing but the message, the Reply and the settings: give the
// same Reply for a repeat and it gets the same bytes on any replica.
type Reply struct {
	Text  string // at most 2,048 bytes, the rest is cut off at a character; <a href> works
	Image MediaID
	News  *Article
	At    time.Time // when it was made, whole seconds count; zero: the time of the message
}

// Article is a card with a link. The platform shows one a reply.
type Article struct{ Title, Description, PicURL, URL string }

// success is the answer that carries no reply; it is never encrypted.
const success = "success"

// xml is the reply to m as the platform wants it, nil where there is nothing to say.
func (r Reply) xml(m *Message, at time.Time) []byte {
	text := cut(clean(r.Text), maxText)
	if strings.TrimSpace(text) == "" {
		text = ""
	}
	if text == "" && r.Image == "" && r.News == nil {
		return nil
	}
	b := make([]byte, 0, 512+len(text))
	b = append(b, "<xml>"...)
	b = field(b, "ToUserName", m.FromUser)
	b = field(b, "FromUserName", m.ToUser)
	b = append(b, "<CreateTime>"...)
	b = strconv.AppendInt(b, at.Unix(), 10)
	b = append(b, "</CreateTime>"...)
	switch {
	case text != "":
		b = field(b, "MsgType", "text")
		b = field(b, "Content", text)
	case r.Image != "":
		b = field(b, "MsgType", "image")
		b = append(b, "<Image>"...)
		b = field(b, "MediaId", string(r.Image))
		b = append(b, "</Image>"...)
	default:
		b = field(b, "MsgType", "news")
		b = append(b, "<ArticleCount>1</ArticleCount><Articles><item>"...)
		b = field(b, "Title", r.News.Title)
		b = field(b, "Description", r.News.Description)
		b = field(b, "PicUrl", r.News.PicURL)
		b = field(b, "Url", r.News.URL)
		b = append(b, "</item></Articles>"...)
	}
	return append(b, "</xml>"...)
}

// field appends an element that holds s as CDATA.
func field(b []byte, name, s string) []byte {
	b = append(b, '<')
	b = append(b, name...)
	b = append(b, "><![CDATA["...)
	b = append(b, strings.ReplaceAll(clean(s), "]]>", "]]]]><![CDATA[>")...)
	b = append(b, "]]></"...)
	b = append(b, name...)
	return append(b, '>')
}

// cut shortens s to at most n bytes, between characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// seal encrypts a reply. What should be random is made from the key, the message and the reply, so that repeats get the same
// bytes without anyone remembering them, and two different replies never share a start.
func seal(k *aesKey, token, appID, messageKey string, reply []byte, at time.Time) []byte {
	mac := hmac.New(sha256.New, k.bytes[:])
	mac.Write([]byte("reply|" + messageKey + "|"))
	mac.Write(reply)
	sum := mac.Sum(nil)
	nonce := strconv.FormatUint(uint64(binary.BigEndian.Uint32(sum[16:])), 10)
	return envelope(k, token, appID, [16]byte(sum), reply, strconv.FormatInt(at.Unix(), 10), nonce)
}

// envelope is the encrypted form of a reply, in the platform's own lay-out.
func envelope(k *aesKey, token, appID string, random [16]byte, reply []byte, timestamp, nonce string) []byte {
	sealed := k.encrypt(random, reply, appID)
	b := make([]byte, 0, len(sealed)+256)
	b = append(b, "<xml>\n"...)
	b = append(field(b, "Encrypt", sealed), '\n')
	b = append(field(b, "MsgSignature", signature(token, timestamp, nonce, sealed)), '\n')
	b = append(b, "<TimeStamp>"+timestamp+"</TimeStamp>\n"...)
	b = append(field(b, "Nonce", nonce), '\n')
	return append(b, "</xml>"...)
}
