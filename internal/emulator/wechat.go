package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Mode is how the platform sends callbacks.
type Mode string

// The modes of 消息加解密方式.
const (
	ModePlain      Mode = "plain"      // 明文模式
	ModeCompatible Mode = "compatible" // 兼容模式: the fields in clear and encrypted
	ModeSecure     Mode = "secure"     // 安全模式
)

// WeChatOptions are the settings of one service account and of the platform around it.
type WeChatOptions struct {
	AppID, AppSecret string
	Token, AESKey    string // as in 服务器配置; AESKey has 43 characters and is not needed in plain mode
	Account          string // the account's gh_ id; default gh_nongxun0000
	Mode             Mode   // default secure
	Now              func() time.Time
	Log              *slog.Logger
	// Patience is how long a callback may take, 5 s by default; after it the connection is dropped and the callback sent again,
	// Tries (default 3) times in all.
	Patience time.Duration
	Tries    int
	// ReceiptDelay is how long after something was sent its receipt comes (TEMPLATESENDJOBFINISH, MASSSENDJOBFINISH,
	// subscribe_msg_sent_event); default 200 ms. ReceiptJitter is how much later it may be, so that receipts overtake each other;
	// ReceiptRepeats how many more times each comes; ReceiptLossPercent how many of a hundred never come.
	ReceiptDelay, ReceiptJitter        time.Duration
	ReceiptRepeats, ReceiptLossPercent int
	// TemplatesPerDay is the daily quota of template messages (45009); default 100,000.
	TemplatesPerDay int
	// MassesPerDay is the daily quota of mass sends to lists (45009); default 100.
	MassesPerDay int
	Templates    []Template
	Notices      []NoticeTemplate
	// PicURL is the base of PicUrl in picture messages; default http://mmbiz.qpic.cn. Given the address at which Handler is served,
	// the pictures can be fetched there.
	PicURL string
	// Deliver, if set, is told what a fan's phone shows. It is called by one goroutine per callback or API call.
	Deliver func(openid string, b Bubble)
	// MenuChanged, if set, is told after menu/create and menu/delete.
	MenuChanged func([]Button)
}

// WeChat is the platform with one service account. Its methods named after what a fan does (Text, Click, …) send the callbacks.
type WeChat struct {
	o        WeChatOptions
	sealer   *envelope // nil without an AESKey
	client   *http.Client
	handler  http.Handler
	faults   faults
	crew     *crew
	nextID   atomic.Int64
	callback atomic.Pointer[url.URL]

	mu     sync.Mutex
	fans   map[string]*fan
	tokens tokens
	menu   []Button
	scenes map[string]scene // by ticket
	media  map[string]media
	sent   map[string]sentTemplate // by openid and client_msg_id
	quota  dayCount
	masses masses
}

// fan is what the platform knows of a person who follows or followed the account.
type fan struct {
	follows   bool
	blocks    bool // 接收消息 is off
	credits   credits
	consents  map[string]int // to notices, by template
	masses    monthCount     // mass sends
	lastEvent int64          // CreateTime of the last event: no two of one fan share a second
	counts    WeChatCounts
}

// WeChatCounts says how much of what reached a person.
type WeChatCounts struct{ Passive, Service, Template, Notice, Mass, Broken int }

// NewWeChat starts a platform. Close it.
func NewWeChat(o WeChatOptions) (*WeChat, error) {
	if o.AppID == "" || o.AppSecret == "" || o.Token == "" {
		return nil, errors.New("emulator: the WeChat account needs AppID, AppSecret and Token")
	}
	if o.Mode == "" {
		o.Mode = ModeSecure
	}
	if o.Account == "" {
		o.Account = "gh_nongxun0000"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.PicURL = orDefault(o.PicURL, "http://mmbiz.qpic.cn")
	o.Patience = orDefault(o.Patience, 5*time.Second)
	o.Tries = orDefault(o.Tries, 3)
	o.ReceiptDelay = orDefault(o.ReceiptDelay, 200*time.Millisecond)
	o.TemplatesPerDay = orDefault(o.TemplatesPerDay, 100_000)
	o.MassesPerDay = orDefault(o.MassesPerDay, 100)
	w := &WeChat{
		o: o, crew: newCrew(), client: newClient(),
		fans: map[string]*fan{}, scenes: map[string]scene{}, media: map[string]media{}, sent: map[string]sentTemplate{},
		masses: masses{jobs: map[int64]*massJob{}, refs: map[string]*massJob{}},
	}
	if o.Mode != ModePlain || o.AESKey != "" {
		sealer, err := newEnvelope(o.AESKey, o.AppID)
		if err != nil {
			return nil, fmt.Errorf("emulator: %w", err)
		}
		w.sealer = sealer
	}
	templates := slices.Clone(o.Templates)
	for _, t := range o.Notices {
		templates = append(templates, t.Template)
	}
	for _, t := range templates {
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("emulator: template %s: %w", t.ID, err)
		}
	}
	// Ids go on rising when the emulator is started again on the same database.
	w.nextID.Store(time.Now().UnixNano())
	w.handler = w.routes()
	return w, nil
}

func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// newClient is for callbacks: they never go by a proxy, and they have their own time limits.
func newClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close stops what runs and waits for it.
func (w *WeChat) Close() {
	w.crew.close()
	w.client.CloseIdleConnections()
}

// Handler serves the platform's API (https://api.weixin.qq.com).
func (w *WeChat) Handler() http.Handler { return w.handler }

// Fail makes the next calls of the API go wrong.
func (w *WeChat) Fail(f Fault) { w.faults.add(f) }

// Counts says how much reached a person.
func (w *WeChat) Counts(openid string) WeChatCounts {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.fans[openid]; f != nil {
		return f.counts
	}
	return WeChatCounts{}
}

// Follows reports whether a person follows the account.
func (w *WeChat) Follows(openid string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.fans[openid]
	return f != nil && f.follows
}

// Connect does what the console does when 服务器配置 is saved: it asks the address to echo a signed word. Callbacks then go there.
func (w *WeChat) Connect(ctx context.Context, callbackURL string) error {
	u, err := url.Parse(callbackURL)
	if err != nil || u.Host == "" {
		return fmt.Errorf("emulator: %q is not a callback address", callbackURL)
	}
	ctx, cancel := context.WithTimeout(ctx, w.o.Patience)
	defer cancel()
	echo := randomText(19, digits[1:])
	q := w.sign()
	q.Set("echostr", echo)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, withQuery(u, q), nil)
	if err != nil {
		return err
	}
	status, body, err := fetch(w.client, req)
	if err != nil {
		return fmt.Errorf("emulator: the callback address does not answer: %w", err)
	}
	if status != http.StatusOK || string(body) != echo {
		return fmt.Errorf("emulator: token 验证失败: HTTP %d, and the answer is not the echostr", status)
	}
	w.callback.Store(u)
	return nil
}

// sign makes the query of a callback: signature, timestamp, nonce.
func (w *WeChat) sign() url.Values {
	timestamp, nonce := unixSeconds(w.o.Now()), randomText(10, digits[1:])
	return url.Values{"signature": {wechatSignature(w.o.Token, timestamp, nonce)}, "timestamp": {timestamp}, "nonce": {nonce}}
}

func withQuery(u *url.URL, q url.Values) string {
	out := *u
	for name, values := range u.Query() {
		q[name] = values
	}
	out.RawQuery = q.Encode()
	return out.String()
}

// maxAnswer is the most that is read of an answer.
const maxAnswer = 1 << 20

func fetch(client *http.Client, req *http.Request) (status int, body []byte, err error) {
	res, err := client.Do(req)
	if err != nil {
		// A url.Error holds the query string, signature and all.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res.StatusCode, body, err
}

var errNoCallback = errors.New("emulator: no callback address is configured")

// Request is one signed (and, as the mode says, encrypted) callback with the fields of message, for drills that send callbacks
// by themselves. message is a whole <xml> document.
func (w *WeChat) Request(ctx context.Context, openid string, message []byte) (*http.Request, error) {
	u := w.callback.Load()
	if u == nil {
		return nil, errNoCallback
	}
	q := w.sign()
	q.Set("openid", openid)
	body := message
	if w.o.Mode != ModePlain {
		encrypted, err := w.sealer.seal([]byte(randomText(16, alphanum)), message)
		if err != nil {
			return nil, err
		}
		q.Set("encrypt_type", "aes")
		q.Set("msg_signature", wechatSignature(w.o.Token, q.Get("timestamp"), q.Get("nonce"), encrypted))
		sealed := "<Encrypt><![CDATA[" + encrypted + "]]></Encrypt>\n</xml>"
		if w.o.Mode == ModeCompatible {
			body = []byte(strings.TrimSuffix(string(message), "</xml>") + sealed)
		} else {
			body = []byte("<xml><ToUserName><![CDATA[" + w.o.Account + "]]></ToUserName>\n" + sealed)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, withQuery(u, q), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/xml")
	req.Header.Set("User-Agent", "Mozilla/4.0")
	return req, nil
}

// outOfOrder is what the user sees when the account's server fails.
const outOfOrder = "该公众号提供的服务出现故障，请稍后再试"

// push sends a callback until it is answered or all tries are used up, and delivers the passive reply.
func (w *WeChat) push(ctx context.Context, openid string, quiet bool, fields []element) error {
	if w.callback.Load() == nil {
		return errNoCallback
	}
	message := writeXML(fields)
	var err error
	for try := range w.o.Tries {
		start := time.Now()
		var body []byte
		if body, err = w.try(ctx, openid, message); err == nil {
			err = w.passive(openid, quiet, body)
			break
		}
		w.o.Log.Warn("callback failed", "try", try+1, "err", err)
		if try+1 < w.o.Tries && !pause(ctx, w.o.Patience-time.Since(start)) {
			return ctx.Err()
		}
	}
	if err != nil && !quiet {
		w.count(openid, func(c *WeChatCounts) { c.Broken++ })
		w.show(openid, Bubble{From: FromSystem, Kind: "system", Text: outOfOrder})
	}
	return err
}

func (w *WeChat) try(ctx context.Context, openid string, message []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, w.o.Patience)
	defer cancel()
	req, err := w.Request(ctx, openid, message)
	if err != nil {
		return nil, err
	}
	status, body, err := fetch(w.client, req)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fmt.Errorf("HTTP %d", status)
	}
	return body, nil
}

// passive shows the passive reply; quiet is an event that cannot be answered.
func (w *WeChat) passive(openid string, quiet bool, body []byte) error {
	b, err := w.readReply(openid, body)
	if err != nil || b == nil || quiet {
		return err
	}
	w.count(openid, func(c *WeChatCounts) { c.Passive++ })
	w.show(openid, *b)
	return nil
}

func (w *WeChat) count(openid string, change func(*WeChatCounts)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(&w.fan(openid).counts)
}

func (w *WeChat) show(openid string, b Bubble) {
	b.At, b.Channel = w.o.Now(), ChannelWeChat
	if b.From == "" {
		b.From = FromService
	}
	if w.o.Deliver != nil {
		w.o.Deliver(openid, b)
	}
}

// fan is the record of a person; mu is held.
func (w *WeChat) fan(openid string) *fan {
	f := w.fans[openid]
	if f == nil {
		f = &fan{consents: map[string]int{}}
		w.fans[openid] = f
	}
	return f
}
