package outbox

import (
	"fmt"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/emulator"
)

// What each answer of the platform makes of a delivery on the roads below the customer-service message (TestWhatTheCodesDo), to a person who
// has a phone as well.
func TestWhatTheCodesDoOnOtherRoads(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	texts := 0
	for i, c := range []struct {
		road     string
		code     int
		state    string
		text     bool // it went by SMS instead
		stopped  string
		consents int // left of one; of notices
	}{
		{"notice", -1, "queued retry_later", false, "", 1},
		{"notice", 40003, "sent", true, "", 0},
		{"notice", 40037, "sent", true, "notice/fair", 1},
		{"notice", 43101, "sent", true, "", 0},
		{"notice", 43107, "sent", true, "notice/fair", 1},
		{"notice", 43108, "sent", true, "", 0},
		{"notice", 45009, "sent", true, "notice", 1},
		{"notice", 45011, "queued channel_stopped", false, "notice", 1},
		{"notice", 47003, "failed refused", false, "", 1},
		{"notice", 48001, "sent", true, "notice", 1},
		{"notice", 40164, "queued channel_stopped", false, "wechat", 1},
		{"template", -1, "queued retry_later", false, "", 0},
		{"template", 40003, "sent", true, "", 0},
		{"template", 40037, "sent", true, "wechat/price", 0},
		{"template", 43004, "sent", true, "", 0},
		{"template", 43019, "failed refused", false, "", 0},
		{"template", 45009, "sent", true, "template", 0},
		{"template", 47003, "failed refused", false, "", 0},
		{"template", 48002, "sent", true, "", 0},
		{"template", 48004, "queued channel_stopped", false, "wechat", 0},
		{"mass", -1, "queued retry_later", false, "", 0},
		{"mass", 45009, "sent", true, "mass", 0},
		{"mass", 45011, "queued channel_stopped", false, "mass", 0},
		{"mass", 45028, "sent", true, "mass", 0},
		{"mass", 45065, "sent", false, "", 0},
		{"mass", 45066, "queued retry_later", false, "", 0},
		{"mass", 45067, "failed refused", false, "", 0},
		{"mass", 48003, "sent", true, "mass", 0},
	} {
		name := fmt.Sprint(c.road, c.code)
		openid := "o" + name
		who := f.person(openid, fmt.Sprintf("1380000%04d", 2*i))
		f.platform.script[openid] = c.code
		cause := name
		switch c.road {
		case "notice":
			f.consent(openid, "SUB1", true)
			f.put(Delivery{Cause: name, Class: Notice, ContactID: who, Text: "x", Template: "fair"})
		case "template":
			f.put(Delivery{Cause: name, Class: Notice, ContactID: who, Text: "x", Template: "price"})
		case "mass":
			f.freeze(Broadcast{Key: name, Class: Notice, Mass: true, Text: "x"}, who, f.person(openid+"b", fmt.Sprintf("1380000%04d", 2*i+1)))
			cause = "b:" + name
		}
		f.work()
		f.clock.advance(2500 * time.Millisecond) // a first back-off
		f.work()
		if c.text {
			texts++
			if c.road == "mass" {
				texts++
			}
		}
		state, stopped := f.stateAndStops(cause, who)
		var consents int
		if err := f.Pool.QueryRow(t.Context(), `SELECT coalesce(sum(remaining), 0) FROM notice_consent WHERE openid = $1`, openid).Scan(&consents); err != nil {
			t.Fatal(err)
		}
		if state != c.state || stopped != c.stopped || consents != c.consents || len(f.carrier.got()) != texts {
			t.Errorf("%s: %s, stopped %q, %d consents left, %d texts; want %s, %q, %d, %d", name, state, stopped, consents, len(f.carrier.got()), c.state, c.stopped, c.consents, texts)
		}
		texts = len(f.carrier.got())
		f.clean()
	}
}

// stateAndStops is "state reason" of a person's delivery, and what is stopped.
func (f *fixture) stateAndStops(cause string, who int64) (state, stopped string) {
	f.t.Helper()
	if err := f.Pool.QueryRow(f.t.Context(), `SELECT trim(state || ' ' || reason), (SELECT coalesce(string_agg(trim(both '/' FROM channel || '/' || template), ' '), '') FROM channel_stop)
FROM delivery WHERE cause = $1 AND contact_id = $2`, cause, who).Scan(&state, &stopped); err != nil {
		f.t.Fatal(err)
	}
	return state, stopped
}

// clean leaves nothing stopped and nothing waiting.
func (f *fixture) clean() {
	f.t.Helper()
	f.exec(`DELETE FROM channel_stop`)
	f.exec(`UPDATE delivery SET state = 'skipped', reason = 'expired' WHERE state = 'queued'`)
}

// What each code of Aliyun's makes of a text.
func TestWhatTheCodesOfTextsDo(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	p := newProvider(t, bare, emulator.AliyunOptions{})
	f.SMS = gatewayTo(t, p.url)
	type want struct {
		state   string
		stopped string
		atLeast time.Duration // until it goes again
		atMost  time.Duration
	}
	later := want{"queued retry_later", "", 0, time.Minute}
	stop := want{"queued channel_stopped", "sms", stopPause, stopPause}
	stopTemplate := want{"queued template_stopped", "sms/notice", stopPause, stopPause}
	refused := want{"failed refused", "", 0, 0}
	for i, c := range []struct {
		code, message string
		want          want
	}{
		{"isv.BUSINESS_LIMIT_CONTROL", "触发分钟级流控Permits:1", want{"queued flow_limit", "", 0, time.Minute}},
		{"isv.BUSINESS_LIMIT_CONTROL", "触发小时级流控Permits:5", want{"queued flow_limit", "", 0, time.Hour}},
		{"isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:40", want{"queued flow_limit", "", 24 * time.Hour, 24 * time.Hour}},
		{"isp.SYSTEM_ERROR", "", later},
		{"Throttling", "", later},
		{"Throttling.User", "", later},
		{"Throttling.Api", "", later},
		{"ServiceUnavailable", "", later},
		{"isv.AMOUNT_NOT_ENOUGH", "", stop},
		{"isv.OUT_OF_SERVICE", "", stop},
		{"isv.DAY_LIMIT_CONTROL", "", stop},
		{"isv.MONTH_LIMIT_CONTROL", "", stop},
		{"isv.PRODUCT_UN_SUBSCRIPT", "", stop},
		{"isv.PRODUCT_UNSUBSCRIBE", "", stop},
		{"isv.ACCOUNT_NOT_EXISTS", "", stop},
		{"isv.ACCOUNT_ABNORMAL", "", stop},
		{"isp.RAM_PERMISSION_DENY", "", stop},
		{"isv.DENY_IP_RANGE", "", stop},
		{"InvalidAccessKeyId.NotFound", "", stop},
		{"SignatureDoesNotMatch", "", stop},
		{"InvalidTimeStamp.Expired", "", stop},
		{"isv.SMS_SIGNATURE_ILLEGAL", "", stopTemplate},
		{"isv.SMS_SIGN_ILLEGAL", "", stopTemplate},
		{"isv.SIGN_STATE_ILLEGAL", "", stopTemplate},
		{"isv.SMS_TEMPLATE_ILLEGAL", "", stopTemplate},
		{"isv.SMS_SIGNATURE_SCENE_ILLEGAL", "", stopTemplate},
		{"isv.EXTEND_CODE_ERROR", "", stopTemplate},
		{"isv.MOBILE_NUMBER_ILLEGAL", "", refused},
		{"isv.MOBILE_COUNT_OVER_LIMIT", "", refused},
		{"isv.TEMPLATE_MISSING_PARAMETERS", "", refused},
		{"isv.TEMPLATE_PARAMS_ILLEGAL", "", refused},
		{"isv.INVALID_PARAMETERS", "", refused},
		{"isv.INVALID_JSON_PARAM", "", refused},
		{"isv.BLACK_KEY_CONTROL_LIMIT", "", refused},
		{"isv.PARAM_LENGTH_LIMIT", "", refused},
		{"isv.PARAM_NOT_SUPPORT_URL", "", refused},
		{"isv.SMS_CONTENT_ILLEGAL", "", refused},
		{"isv.DOMESTIC_NUMBER_NOT_SUPPORTED", "", refused},
	} {
		name := c.code + c.message
		who := f.person("", fmt.Sprintf("1380000%04d", i))
		p.Fail(emulator.Fault{Kind: emulator.FaultCode, Code: c.code, Message: c.message})
		f.put(Delivery{Cause: name, Class: Notice, ContactID: who, Text: "x"})
		if _, err := f.dispatch(t.Context(), f.lanes()[lineWeChat], Promotion); err != nil { // moves it on
			t.Fatal(err)
		}
		if _, err := f.dispatch(t.Context(), f.lanes()[lineSMS], Promotion); err != nil {
			t.Fatal(err)
		}
		state, stopped := f.stateAndStops(name, who)
		var due time.Time
		if err := f.Pool.QueryRow(t.Context(), `SELECT due_at FROM delivery WHERE cause = $1`, name).Scan(&due); err != nil {
			t.Fatal(err)
		}
		wait := due.Sub(f.now())
		if state != c.want.state || stopped != c.want.stopped || c.want.atMost > 0 && (wait < c.want.atLeast || wait > c.want.atMost) {
			t.Errorf("%s: %s, stopped %q, again in %s; want %+v", name, state, stopped, wait, c.want)
		}
		f.clean()
	}
}
