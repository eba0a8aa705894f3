package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/officialaccount/message"
	"github.com/silenceper/wechat/v2/util"
)

// ClientConfig says whose account a Client speaks for.
type ClientConfig struct {
	AppID     string
	AppSecret string
	BaseURL   string           // "": https://api.weixin.qq.com
	Store     TokenStore       // shared by all replicas; nil: this process's memory
	Now       func() time.Time // nil: time.Now
	Timeout   time.Duration    // of each HTTP call; 0: 10 s
	Log       *slog.Logger     // nil: silent
}

// Client calls the platform's API. It is safe for concurrent use. Every error that it returns is an *Error.
type Client struct {
	cfg      ClientConfig
	http     *http.Client
	fetching chan struct{} // holds one value while this process fetches a token
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// NewClient makes a Client. It makes no call.
func NewClient(cfg ClientConfig) *Client {
	if cfg.BaseURL == "" {
		cfg.BaseURL = "https://api.weixin.qq.com"
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Store == nil {
		cfg.Store = newMemoryStore(cfg.Now)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{cfg: cfg, http: newHTTPClient(), fetching: make(chan struct{}, 1)}
}

// Close gives idle connections back. The client may be used after it.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// newHTTPClient keeps enough idle connections for a push; the default keeps two. It follows no redirect: the token stands in the URL.
func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// operation is one API. once marks those that must not be carried out twice: without a clear answer their outcome is Unknown.
type operation struct {
	path string
	once bool
}

var (
	opToken      = operation{path: "stable_token"}
	opText       = operation{path: "message/custom/send", once: true}
	opTemplate   = operation{path: "message/template/send", once: true}
	opNotice     = operation{path: "message/subscribe/bizsend", once: true}
	opMass       = operation{path: "message/mass/send", once: true}
	opMassStatus = operation{path: "message/mass/get"}
	opSetMenu    = operation{path: "menu/create"}
	opGetMenu    = operation{path: "menu/get"}
	opQR         = operation{path: "qrcode/create"}
)

// SendText sends a customer-service message (客服消息) of at most 2,048 bytes, the rest is cut off at a character. The platform
// takes it only within the window that the person opened: else NextChannel.
func (c *Client) SendText(ctx context.Context, openid, text string) error {
	text = cut(clean(text), maxText)
	if strings.TrimSpace(text) == "" {
		return &Error{Kind: Refused, Op: opText.path, Message: "the text is empty"}
	}
	var out struct{ util.CommonError }
	return c.call(ctx, opText, message.NewCustomerTextMessage(openid, text), &out, openid)
}

// TemplateMessage fills a template of the account. Data's keys are the template's field names; its values are at most 20
// characters on one line, else the platform cuts them without a word. ClientMsgID (at most 32 characters) makes a repeat harmless.
type TemplateMessage struct {
	To          string // openid
	TemplateID  string
	URL         string // "": the card opens nothing
	ClientMsgID string
	Data        map[string]string
}

// SendTemplate sends a template message and returns the platform's id, which TEMPLATESENDJOBFINISH names as Job.ID. No error
// means accepted, not delivered. A ClientMsgID that the platform has seen before returns the id of the first time.
func (c *Client) SendTemplate(ctx context.Context, t TemplateMessage) (msgID int64, err error) {
	in := templateRequest{TemplateMessage: message.TemplateMessage{
		ToUser: t.To, TemplateID: t.TemplateID, URL: t.URL, ClientMsgID: t.ClientMsgID,
		Data: make(map[string]*message.TemplateDataItem, len(t.Data)),
	}}
	for k, v := range t.Data {
		in.Data[k] = &message.TemplateDataItem{Value: clean(v)}
	}
	var out struct {
		util.CommonError
		MsgID int64 `json:"msgid"`
	}
	err = c.call(ctx, opTemplate, in, &out, t.To)
	var e *Error
	if errors.As(err, &e) && e.Code == codeRepeated {
		err = nil
	}
	if err != nil {
		return 0, err
	}
	return out.MsgID, nil
}

// codeRepeated says that the message of this ClientMsgID was taken before.
const codeRepeated = 45065

// templateRequest leaves out the empty miniprogram that the embedded type would always write.
type templateRequest struct {
	message.TemplateMessage
	MiniProgram *struct{} `json:"miniprogram,omitempty"`
}

// call posts in to the API and reads its answer into out, a pointer to a struct that embeds util.CommonError. A token that the platform
// refuses is dropped, and the call made once more. private are values that must not appear in an error.
func (c *Client) call(ctx context.Context, op operation, in, out any, private ...string) error {
	for attempt := 0; ; attempt++ {
		token, err := c.Token(ctx)
		if err != nil {
			return err
		}
		err = c.post(ctx, op, "?access_token="+url.QueryEscape(token), in, out, append(private, token)...)
		var e *Error
		if attempt == 0 && errors.As(err, &e) && tokenRefused(e.Code) {
			c.drop(ctx, token)
			continue
		}
		return err
	}
}

// post makes one HTTP call within the time limit. A nil in makes it a GET.
func (c *Client) post(ctx context.Context, op operation, query string, in, out any, private ...string) error {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var sent atomic.Bool // from here on the platform may have it
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	fail := func(kind Kind, text string, cause error) error {
		return &Error{Kind: kind, Op: op.path, Message: redact(text, append(private, c.cfg.AppSecret)...), cause: cause}
	}
	req, err := c.request(ctx, op, query, in)
	if err != nil {
		return fail(Refused, "the request cannot be made: is the API address right?", nil)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return fail(lost(op, sent.Load()), networkText(err), contextError(err))
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	switch {
	case res.StatusCode == http.StatusTooManyRequests:
		return fail(RetryLater, "HTTP "+res.Status, nil)
	case res.StatusCode >= 500:
		return fail(lost(op, true), "HTTP "+res.Status, nil)
	case res.StatusCode != http.StatusOK:
		return fail(ChannelStopped, "HTTP "+res.Status+": is the API address right, is there a proxy?", nil)
	case err != nil:
		return fail(lost(op, true), networkText(err), contextError(err))
	}
	return c.decode(op, body, out, fail, private)
}

// lost is the kind of a call that brought no answer.
func lost(op operation, sent bool) Kind {
	if op.once && sent {
		return Unknown
	}
	return RetryLater
}

func (c *Client) request(ctx context.Context, op operation, query string, in any) (*http.Request, error) {
	address := c.cfg.BaseURL + "/cgi-bin/" + op.path + query
	if in == nil {
		return http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // the platform shows < as it gets it, and refuses it in menus
	if err := enc.Encode(in); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return req, nil
}

// decode reads an answer. One without an errcode is good enough for a look-up, never for a send.
func (c *Client) decode(op operation, body []byte, out any, fail func(Kind, string, error) error, private []string) error {
	reflect.ValueOf(out).Elem().SetZero() // the answer to a first try with a dead token may stand in it, and not every good one has an errcode
	err := util.DecodeWithError(body, out, op.path)
	var refusal *util.CommonError
	switch {
	case errors.As(err, &refusal):
		e := newError(op.path, int(refusal.ErrCode), refusal.ErrMsg, c.cfg.Now(), append(private, c.cfg.AppSecret)...)
		c.cfg.Log.Warn("wechat refused a call", "op", op.path, "errcode", e.Code, "rid", e.Rid, "field", fieldPattern.FindString(e.Message), "advice", codes[e.Code].advice)
		return e
	case err != nil:
		return fail(lost(op, true), "the answer is no JSON", nil)
	case op.once && !bytes.Contains(body, []byte(`"errcode"`)):
		return fail(lost(op, true), "the answer holds no errcode", nil)
	}
	return nil
}

// networkText is an error of net/http without the URL, which holds the token.
func networkText(err error) string {
	var e *url.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return fmt.Sprint(err)
}

func contextError(err error) error {
	for _, cause := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return cause
		}
	}
	return nil
}
