// Package aliyun carries short messages through Aliyun's dysmsapi (2017-05-25): it sends by SendSms and SendBatchSms, asks by
// QuerySendDetails, and receives what Aliyun pushes (SmsUp, SmsReport).
//
// alibaba-cloud-sdk-go gives the requests and their signature and nothing more. Its own way of sending knows no context, writes
// to the shared transport on each call, prints phone numbers and texts with DEBUG=sdk in the environment and panics on an answer
// whose Code is a number; so the signed request is sent by our own http.Client, and the answer read here.
package aliyun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/nongxun/nongxun/sms"
)

// Name is the provider's name in keys, receipts and incoming texts.
const Name = "aliyun"

const (
	defaultEndpoint = "https://dysmsapi.aliyuncs.com"
	defaultTimeout  = 5 * time.Second
	defaultPrice    = 450 // 0.045 yuan a part, as of 2026
	maxBatch        = 100 // numbers in one SendBatchSms
	maxOutID        = 255
	// extraCalls bounds how often one Send takes a refused batch apart to find the message that Aliyun refused.
	extraCalls = 16
)

// Config is what a Gateway needs. Endpoint is the base of the API, "" for Aliyun's own; plain http only to a loopback host. SignName
// is without 【】. Templates is what Compose takes. Timeout is the limit of one call, 0 for 5 s. Price is what a part costs, 0 for
// Aliyun's list price.
type Config struct {
	AccessKeyID, AccessKeySecret string
	SignName, Endpoint           string
	Templates                    map[string]string
	Now                          func() time.Time
	Timeout                      time.Duration
	Price                        sms.Price
	Log                          *slog.Logger
}

// Gateway is a sms.Gateway, sms.Querier and sms.Composer over one Aliyun account and sign. Safe for concurrent use.
type Gateway struct {
	config       Config
	scheme, host string
	client       *http.Client
}

// New checks the configuration; it calls nobody. The error names the field that is wrong.
func New(c Config) (*Gateway, error) {
	if c.Endpoint == "" {
		c.Endpoint = defaultEndpoint
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	if c.Price <= 0 {
		c.Price = defaultPrice
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.SignName = strings.Trim(strings.TrimSpace(c.SignName), "【】")
	switch {
	case c.AccessKeyID == "":
		return nil, errors.New("aliyun: AccessKeyID is empty")
	case c.AccessKeySecret == "":
		return nil, errors.New("aliyun: AccessKeySecret is empty")
	case c.SignName == "":
		return nil, errors.New("aliyun: SignName is empty: it is the approved sign, such as 示例县商务局")
	}
	scheme, host, err := parseEndpoint(c.Endpoint)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	return &Gateway{
		config: c, scheme: scheme, host: host,
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

func parseEndpoint(endpoint string) (scheme, host string, err error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return "", "", errors.New("aliyun: Endpoint must be a base address such as " + defaultEndpoint)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback(u.Hostname()):
	default:
		return "", "", fmt.Errorf("aliyun: Endpoint %q: must be https, plain http goes only to a loopback host", endpoint)
	}
	return u.Scheme, u.Host, nil
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

// Name is "aliyun".
func (g *Gateway) Name() string { return Name }

// Close lets go of idle connections.
func (g *Gateway) Close() { g.client.CloseIdleConnections() }

// message is one Outgoing made ready.
type message struct {
	index  int // in the batch given to Send
	phone  string
	ref    string
	params map[string]string
}

// group is what can share a call: one template, one extension.
type group struct {
	code, extend string
	messages     []message
}

// Send groups the batch by template, at most 100 messages and never the same phone twice in a call. A message alone goes by
// SendSms with its Ref as OutId. Several go by SendBatchSms, which has one OutId for all: it is sms.BatchRef of the first one's
// Ref, and all get the same ProviderID (BizId), so that receipts are matched by BizId and phone.
//
// A batch that Aliyun refuses for one message or one phone's flow control is taken apart to find it, within bounds; what could
// not be told apart comes back as RetryLater.
func (g *Gateway) Send(ctx context.Context, batch []sms.Outgoing) []sms.Result {
	results := make([]sms.Result, len(batch))
	extra := extraCalls
	for _, grp := range g.group(batch, results) {
		g.deliver(ctx, grp, results, &extra)
	}
	return results
}

// group makes the batch ready; what cannot be sent gets its result here.
func (g *Gateway) group(batch []sms.Outgoing, results []sms.Result) []group {
	type place struct{ code, extend string }
	var groups []group
	open := map[place][]int{} // indexes of groups that may have room
	for i, out := range batch {
		phone, ok := sms.NormalPhone(out.Phone)
		if !ok {
			results[i].Err = &sms.Error{Kind: sms.MessageRefused, Code: CodePhone, Message: "不是大陆手机号码"}
			continue
		}
		code, params, err := Compose(g.config.Templates, out.Family, out.Text)
		if err != nil {
			results[i].Err = err
			continue
		}
		m := message{index: i, phone: phone, ref: out.Ref, params: params}
		at := place{code, out.Extend}
		added := false
		for _, j := range open[at] {
			if added = groups[j].add(m); added {
				break
			}
		}
		if !added {
			open[at] = append(open[at], len(groups))
			groups = append(groups, group{code: code, extend: out.Extend, messages: []message{m}})
		}
	}
	return groups
}

// add puts m into the group if there is room and its phone is not in it yet.
func (grp *group) add(m message) bool {
	if len(grp.messages) >= maxBatch {
		return false
	}
	for _, other := range grp.messages {
		if other.phone == m.phone {
			return false
		}
	}
	grp.messages = append(grp.messages, m)
	return true
}

// deliver sends a group and writes the results; halves of it where one message spoils the rest.
func (g *Gateway) deliver(ctx context.Context, grp group, results []sms.Result, extra *int) {
	bizID, err := g.send(ctx, grp)
	if err != nil && len(grp.messages) > 1 && (err.Kind == sms.MessageRefused || err.Code == limitCode) {
		if *extra >= 2 {
			*extra -= 2
			half := len(grp.messages) / 2
			g.deliver(ctx, group{grp.code, grp.extend, grp.messages[:half]}, results, extra)
			g.deliver(ctx, group{grp.code, grp.extend, grp.messages[half:]}, results, extra)
			return
		}
		// Whose limit it is nobody knows yet: the others are not to wait a day for it.
		err = &sms.Error{Kind: sms.RetryLater, Code: err.Code, Message: "同批中有短信被拒：" + err.Message, RetryAfter: time.Minute}
	}
	for _, m := range grp.messages {
		results[m.index] = sms.Result{ProviderID: bizID, Err: err}
	}
}

// send makes one call for a group.
func (g *Gateway) send(ctx context.Context, grp group) (bizID string, failed *sms.Error) {
	var answer answer
	if len(grp.messages) == 1 {
		answer, failed = g.sendOne(ctx, grp)
	} else {
		answer, failed = g.sendBatch(ctx, grp)
	}
	if failed != nil {
		g.config.Log.WarnContext(ctx, "sms not sent", "provider", Name, "code", failed.Code, "kind", failed.Kind.String(), "messages", len(grp.messages))
	}
	return answer.BizID, failed
}

func (g *Gateway) sendOne(ctx context.Context, grp group) (answer, *sms.Error) {
	m := grp.messages[0]
	r := dysmsapi.CreateSendSmsRequest()
	r.PhoneNumbers, r.SignName, r.TemplateCode = m.phone, g.config.SignName, grp.code
	r.SmsUpExtendCode, r.OutId = grp.extend, outID(m.ref)
	r.TemplateParam = asJSON(m.params)
	return g.call(ctx, r)
}

func (g *Gateway) sendBatch(ctx context.Context, grp group) (answer, *sms.Error) {
	var phones, signs, extends []string
	var params []map[string]string
	for _, m := range grp.messages {
		phones, params = append(phones, m.phone), append(params, m.params)
		signs, extends = append(signs, g.config.SignName), append(extends, grp.extend)
	}
	r := dysmsapi.CreateSendBatchSmsRequest()
	r.TemplateCode, r.OutId = grp.code, outID(sms.BatchRef(grp.messages[0].ref))
	r.PhoneNumberJson, r.SignNameJson, r.TemplateParamJson = asJSON(phones), asJSON(signs), asJSON(params)
	if grp.extend != "" {
		r.SmsUpExtendCodeJson = asJSON(extends)
	}
	return g.call(ctx, r)
}

func outID(ref string) string { return ref[:min(len(ref), maxOutID)] }

// asJSON writes strings, and lists and maps of strings, which cannot fail, and leaves <, > and & as they are.
func asJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}

// signer is a client of the SDK for one request: it builds and signs, and is never given a connection.
func (g *Gateway) signer() (*sdk.Client, error) {
	c, err := sdk.NewClientWithOptions("cn-hangzhou", sdk.NewConfig().WithScheme(strings.ToUpper(g.scheme)),
		credentials.NewStaticAKCredentialsProvider(g.config.AccessKeyID, g.config.AccessKeySecret))
	if err != nil {
		return nil, err
	}
	c.Domain = g.host
	c.SetCloseTrace(true)
	return c, nil
}
