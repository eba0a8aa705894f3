package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// shanghai is the provider's and the bureau's zone; China has had no summer time since 1991.
var shanghai = time.FixedZone("Asia/Shanghai", 8*60*60)

// AliyunOptions are the settings of one account at the provider.
type AliyunOptions struct {
	AccessKeyID, AccessKeySecret string
	Signs                        []string // approved sign names
	Templates                    []SMSTemplate
	Now                          func() time.Time
	// SignatureNow is the clock that signed requests are checked against; default time.Now, because the SDK signs with the machine's
	// own clock whatever the service thinks the time is.
	SignatureNow func() time.Time
	Log          *slog.Logger
	// Limits of messages to one phone (isv.BUSINESS_LIMIT_CONTROL). Captchas: by default 1 a minute, 5 an hour, 10 a day for sign and
	// phone. Others: by default 50 a day for sign, template and phone. The minute and the hour are those of the clock in UTC+8, the day
	// is the last 24 hours; a sent message counts whether it arrives or not.
	CaptchaLimits, Limits *SMSLimits
	// ReportDelay is how long after a send its receipt is pushed, default 300 ms; ReportCopies is how many more times the same receipt
	// comes.
	ReportDelay  time.Duration
	ReportCopies int
	// ReportJitter, if set, puts each receipt and each copy off by a random time up to it, so that they come in no order.
	ReportJitter time.Duration
	// Patience is how long a push may take, default 700 ms; RetryAfter are the pauses before it is repeated, default 1, 5 and 10 minutes.
	Patience   time.Duration
	RetryAfter []time.Duration
	// NumericSequence sends sequence_id as a number, as the provider did until 2022.
	NumericSequence bool
	// Deliver, if set, is told of every message that reaches a phone; text begins with the 【sign】.
	Deliver func(phone, text string)
}

// SMSLimits bound messages to one phone; 0 is no limit.
type SMSLimits struct{ Minute, Hour, Day int }

// Aliyun is the SMS provider (dysmsapi, version 2017-05-25) with one account.
type Aliyun struct {
	o      AliyunOptions
	crew   *crew
	client *http.Client
	faults faults
	nextID atomic.Int64

	mu        sync.Mutex
	up, down  string // callback addresses: SmsUp, SmsReport
	nonces    map[string]time.Time
	sends     map[string][]time.Time // for the limits
	details   []detail
	arrived   map[string]int
	dead      map[string]string // phone to the carrier's code of its failure
	extension map[string]string // extension code to sign
}

// detail is what QuerySendDetails knows of one message.
type detail struct {
	phone, template, content, outID, bizID string
	sent, received                         time.Time
	status                                 int // 1 waiting, 2 failed, 3 arrived
	errCode                                string
}

// NewAliyun starts a provider. Close it.
func NewAliyun(o AliyunOptions) (*Aliyun, error) {
	if o.AccessKeyID == "" || o.AccessKeySecret == "" || len(o.Signs) == 0 {
		return nil, errors.New("emulator: the Aliyun account needs AccessKeyID, AccessKeySecret and a sign")
	}
	for i := range o.Templates {
		o.Templates[i].Kind = orDefault(o.Templates[i].Kind, SMSNotice)
		if err := o.Templates[i].check(); err != nil {
			return nil, fmt.Errorf("emulator: template %s: %w", o.Templates[i].Code, err)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.SignatureNow == nil {
		o.SignatureNow = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.CaptchaLimits = orDefault(o.CaptchaLimits, &SMSLimits{Minute: 1, Hour: 5, Day: 10})
	o.Limits = orDefault(o.Limits, &SMSLimits{Day: 50})
	o.ReportDelay = orDefault(o.ReportDelay, 300*time.Millisecond)
	o.Patience = orDefault(o.Patience, 700*time.Millisecond)
	if o.RetryAfter == nil {
		o.RetryAfter = []time.Duration{time.Minute, 5 * time.Minute, 10 * time.Minute}
	}
	a := &Aliyun{
		o: o, crew: newCrew(), client: newClient(), nonces: map[string]time.Time{}, sends: map[string][]time.Time{},
		arrived: map[string]int{}, dead: map[string]string{}, extension: map[string]string{},
	}
	a.nextID.Store(time.Now().UnixNano())
	return a, nil
}

// Close stops what runs and waits for it.
func (a *Aliyun) Close() {
	a.crew.close()
	a.client.CloseIdleConnections()
}

// Fail makes the next calls go wrong.
func (a *Aliyun) Fail(f Fault) { a.faults.add(f) }

// Arrived is how many messages reached a phone (11 digits).
func (a *Aliyun) Arrived(phone string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.arrived[phone]
}

// Kill makes every later message to a phone fail at the carrier with a code such as "MK:0001" or "NOT_ONLINE"; "" lets it live again.
func (a *Aliyun) Kill(phone, code string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if code == "" {
		delete(a.dead, phone)
		return
	}
	a.dead[phone] = code
}

// Handler serves the provider's API (https://dysmsapi.aliyuncs.com).
func (a *Aliyun) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			a.answer(w, r, nil, &aliyunError{http.StatusBadRequest, "InvalidParameter", "the form cannot be read"})
			return
		}
		call := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fields, err := a.call(r)
			a.answer(w, r, fields, err)
		})
		a.faults.serve(r.Form.Get("Action"), w, r, call, func(w http.ResponseWriter, f Fault) {
			a.answer(w, r, nil, business(orDefault(f.Code, "isp.SYSTEM_ERROR"), orDefault(f.Message, "系统错误")))
		})
	})
}

func (a *Aliyun) answer(w http.ResponseWriter, r *http.Request, fields map[string]any, err *aliyunError) {
	if fields == nil {
		fields = map[string]any{}
	}
	id := strings.ToUpper(randomText(8, hexits) + "-" + randomText(4, hexits) + "-" + randomText(4, hexits) + "-" + randomText(4, hexits) + "-" + randomText(12, hexits))
	fields["RequestId"], fields["Code"], fields["Message"] = id, "OK", "OK"
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	if err != nil {
		fields["Code"], fields["Message"] = err.code, err.message
		if err.status != http.StatusOK {
			fields["HostId"] = r.Host
			w.WriteHeader(err.status)
		}
	}
	_ = json.NewEncoder(w).Encode(fields)
}

func (a *Aliyun) call(r *http.Request) (map[string]any, *aliyunError) {
	if err := a.authenticate(r); err != nil {
		return nil, err
	}
	if r.Form.Get("Version") != "2017-05-25" {
		return nil, &aliyunError{http.StatusBadRequest, "InvalidVersion", "Specified parameter Version is not valid."}
	}
	switch r.Form.Get("Action") {
	case "SendSms":
		return a.sendSms(r.Form)
	case "SendBatchSms":
		return a.sendBatchSms(r.Form)
	case "QuerySendDetails":
		return a.querySendDetails(r.Form)
	}
	return nil, &aliyunError{http.StatusNotFound, "InvalidAction.NotFound", "Specified api is not found, please check your url and method."}
}

var mainlandMobile = regexp.MustCompile(`^(?:\+?86|0086)?(1[3-9][0-9]{9})$`)

func mobile(s string) (string, *aliyunError) {
	m := mainlandMobile.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return "", business("isv.MOBILE_NUMBER_ILLEGAL", "非法手机号")
	}
	return m[1], nil
}
