package outbox

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// oneLine is one of several lines.
type oneLine struct {
	name  string
	err   *sms.Error
	took  int
	asked int
}

func (n *oneLine) Name() string { return n.name }

func (n *oneLine) Send(_ context.Context, batch []sms.Outgoing) []sms.Result {
	out := make([]sms.Result, len(batch))
	n.asked++
	for i := range out {
		if out[i].Err = n.err; n.err == nil {
			n.took++
			out[i].ProviderID = fmt.Sprint(n.took)
		}
	}
	return out
}

// mobile=cmpp,telecom=aliyun. Aliyun's money is gone; the carrier line has nothing to do with it.
func TestOneLineDoesNotStopTheOther(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	line := &oneLine{name: "cmpp"}
	ali := &oneLine{name: "aliyun", err: &sms.Error{Kind: sms.ChannelStopped, Code: "isv.AMOUNT_NOT_ENOUGH"}}
	router, err := sms.NewRouter([]sms.Gateway{line, ali}, map[sms.Carrier][]string{sms.Mobile: {"cmpp"}, sms.Telecom: {"aliyun"}})
	if err != nil {
		t.Fatal(err)
	}
	f.SMS = router
	telecom, mobile := f.person("", "18900000001"), f.person("", "13900000001")
	f.put(Delivery{ContactID: telecom, Class: Reply, Channel: SMS, Text: "登记好了", Cause: "t"})
	f.work()
	for i := range 60 { // an hour in which a broker on China Mobile writes every minute, and one on Telecom has his answer waiting
		f.put(Delivery{ContactID: mobile, Class: Reply, Channel: SMS, Text: "登记好了" + fmt.Sprint(i), Cause: fmt.Sprint("m", i)})
		f.work()
		f.clock.advance(time.Minute)
	}
	if line.took != 60 {
		t.Errorf("the carrier line works, and sent %d of 60 replies within a minute or at all", line.took)
	}
	f.want("t", "queued channel_stopped")
	if ali.asked > 15 {
		t.Errorf("the line without money was asked %d times in an hour", ali.asked)
	}
	ali.err = nil
	if was, err := Release(t.Context(), f.Pool, "sms:aliyun", f.now()); err != nil || !was {
		t.Error(was, err)
	}
	f.work()
	f.want("t", "sent")
}

// wordy is a line that adds words of its own.
type wordy struct{ oneLine }

func (w *wordy) Compose(m sms.Outgoing) (sms.Composed, *sms.Error) {
	full := "【炎陵县商务局】通知:" + m.Text + "(农讯)"
	return sms.Composed{Text: m.Text, Full: full, Length: sms.Length(full), Parts: sms.Parts(full)}, nil
}

// What a plan shows and prices is what the lines make of the text, each for its own phones.
func TestPlanAsksTheLines(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	long, short := &wordy{oneLine{name: "aliyun"}}, &oneLine{name: "cmpp"}
	router, err := sms.NewRouter([]sms.Gateway{long, &plain{short}}, map[sms.Carrier][]string{sms.Mobile: {"cmpp"}, sms.Telecom: {"aliyun"}})
	if err != nil {
		t.Fatal(err)
	}
	f.SMS = router
	text := strings.Repeat("黄桃又大又甜", 10) // 60 characters, 68 with the sign, 76 as the wordy line sends it
	b := Broadcast{Key: "b", Class: Notice, Channel: SMS, Text: text}
	people := []int64{f.person("", "13900000001"), f.person("", "13900000002"), f.person("", "18900000001")}
	p, err := f.Plan(t.Context(), b, f.audience(people...))
	if err != nil || p.Parts != 2 || p.CostFen != 18 || !strings.HasSuffix(p.Text, "(农讯)") || !strings.Contains(p.Problem, "2条") {
		t.Errorf("%+v, %v; want 2 + 1 + 1 parts of 4.5 fen", p, err)
	}
	p, err = f.Plan(t.Context(), b, f.audience(people[:2]...))
	if err != nil || p.Parts != 1 || p.CostFen != 9 || p.Problem != "" {
		t.Errorf("%+v, %v; want 2 parts and no problem", p, err)
	}
}

// plain is a line that sends what it is given.
type plain struct{ *oneLine }

func (*plain) Compose(m sms.Outgoing) (sms.Composed, *sms.Error) {
	full := "【炎陵县商务局】" + m.Text
	return sms.Composed{Text: m.Text, Full: full, Length: sms.Length(full), Parts: sms.Parts(full)}, nil
}

// What an operator stops carries nothing, though another line is open.
func TestAnOperatorStopsALine(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	cmpp, ali := &oneLine{name: "cmpp"}, &oneLine{name: "aliyun"}
	router, err := sms.NewRouter([]sms.Gateway{cmpp, ali}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f.SMS = router
	if err := StopChannel(t.Context(), f.Pool, "sms:cmpp", f.now()); err != nil {
		t.Fatal(err)
	}
	f.put(Delivery{ContactID: f.person("", "13900000001"), Class: Promotion, Channel: SMS, Text: "x", Cause: "t"})
	f.work()
	if cmpp.asked != 0 {
		t.Errorf("the stopped line carried %d texts, the other %d", cmpp.took, ali.took)
	}
}
