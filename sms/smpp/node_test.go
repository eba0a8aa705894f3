package smpp_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/smpp"
)

// node is testdata/smsc/server.js at work.
type node struct {
	t     *testing.T
	in    io.Writer
	lines chan map[string]any
	kept  []map[string]any // said already, and not asked for yet
}

func startNode(t *testing.T) (*node, string) {
	t.Helper()
	path, err := exec.LookPath("node")
	if _, err2 := os.Stat("testdata/smsc/node_modules/smpp"); err != nil || err2 != nil {
		t.Skip("NOT TESTED against the npm package smpp: node or the package is missing; make setup-tests installs them")
	}
	cmd := exec.CommandContext(context.Background(), path, "server.js") // it ends with its standard input, however this process ends
	cmd.Dir = "testdata/smsc"
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, in: in, lines: make(chan map[string]any, 1000)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			var line map[string]any
			if json.Unmarshal(s.Bytes(), &line) == nil {
				n.lines <- line
			}
		}
	}()
	t.Cleanup(func() {
		_ = in.Close()
		<-read
		_ = cmd.Wait()
	})
	port := n.next("port").(float64)
	return n, net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port)))
}

// next is the next thing of that kind that the SMSC says.
func (n *node) next(kind string) any {
	n.t.Helper()
	limit := time.After(20 * time.Second)
	for i := 0; ; i++ {
		for ; i < len(n.kept); i++ {
			if v, ok := n.kept[i][kind]; ok {
				n.kept = append(n.kept[:i:i], n.kept[i+1:]...)
				return v
			}
		}
		select {
		case line := <-n.lines:
			n.kept = append(n.kept, line)
			i--
		case <-limit:
			n.t.Fatalf("the SMSC did not say %q within 20 s", kind)
		}
	}
}

func (n *node) order(what map[string]any) {
	n.t.Helper()
	if err := json.NewEncoder(n.in).Encode(what); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) submit() map[string]any {
	n.t.Helper()
	return n.next("submit").(map[string]any)
}

func TestNodeSMSC(t *testing.T) {
	t.Parallel()
	n, addr := startNode(t)
	kept := newKept()
	g := startGateway(t, smpp.Config{
		Addr: addr, Country: "86", Texts: kept.deliver, Receipts: kept.report, Idle: 200 * time.Millisecond, ReceiptIDs: smpp.ReceiptHex,
	})
	if v := n.next("bound"); v != "nongxun" {
		t.Errorf("bound as %v", v)
	}
	n.next("enquired")

	// Out: what the package reads is what was meant, and its receipts are understood.
	r := one(t, g, text("13800000001", "黄桃3.5元/斤🍑"))
	want := map[string]any{"from": "10690001", "to": "8613800000001", "ton": 1., "npi": 1., "coding": 8., "esm": 0., "receipt": 1., "text": "黄桃3.5元/斤🍑", "sar": 0.}
	if r.Err != nil || r.ProviderID != "4000000000" {
		t.Errorf("%+v", r)
	}
	got := n.submit()
	for k, v := range want {
		if got[k] != v {
			t.Errorf("%s arrived as %v, want %v", k, got[k], v)
		}
	}
	one(t, g, text("13800000001", "Peaches @ 3.5 [fresh]"))
	if got = n.submit(); got["text"] != "Peaches @ 3.5 [fresh]" || got["coding"] != 0. {
		t.Errorf("GSM text arrived as %v", got)
	}
	one(t, g, text("13800000001", long))
	var whole strings.Builder
	for i := 1; i <= 2; i++ {
		got = n.submit()
		udh := got["udh"].([]any)
		if len(udh) != 1 || !strings.HasSuffix(udh[0].(string), "020"+strconv.Itoa(i)) || got["receipt"] != float64(i-1) {
			t.Errorf("part %d arrived as %v", i, got)
		}
		whole.WriteString(got["text"].(string))
	}
	if whole.String() != long {
		t.Errorf("joined: %q", whole.String())
	}
	for range 3 {
		if n.next("answered") != 0. {
			t.Error("a receipt was not taken")
		}
	}
	kept.wait(t, "three receipts", func() bool { return len(kept.receipts) == 3 })
	submitted := time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC)
	if got := kept.receipts[0]; got.ProviderID != r.ProviderID || !got.OK || got.Phone != "13800000001" || !got.SubmittedAt.Equal(submitted) {
		t.Errorf("receipt %+v for %+v", got, r)
	}

	// In: as the package writes it.
	n.order(map[string]any{"deliver": map[string]any{"source_addr": "8613800000002", "destination_addr": "10690001", "short_message": "黄桃5000斤"}})
	n.next("answered")
	n.order(map[string]any{"deliver": map[string]any{"source_addr": "8613800000002", "destination_addr": "10690001", "short_message": "GY 5000 @ [3.5]"}})
	n.next("answered")
	n.order(map[string]any{"deliver": map[string]any{"source_addr": "8613800000002", "destination_addr": "10690001", "message_payload": long}})
	n.next("answered")
	for i, half := range []string{"前半", "后半"} {
		n.order(map[string]any{
			"part": map[string]any{"source_addr": "8613800000002", "destination_addr": "10690001", "short_message": half, "esm_class": 0x40}, "udh": "0500032a020" + strconv.Itoa(i+1),
		})
		n.next("answered")
	}
	kept.wait(t, "five texts", func() bool { return len(kept.texts) == 5 })
	for i, want := range []string{"黄桃5000斤", "GY 5000 @ [3.5]", long} {
		if in := kept.texts[i]; in.Text != want || in.Phone != "13800000002" {
			t.Errorf("text %d came in as %+v", i, in)
		}
	}
	if joined, missing := sms.Join([]sms.Part{*kept.texts[3].Part, *kept.texts[4].Part}); joined != "前半后半" || missing != 0 {
		t.Errorf("joined %q", joined)
	}

	// The link: enquire_link from there, refusals, a cut, an unbind from there.
	n.order(map[string]any{"enquire": true})
	n.next("enquireAnswered")
	n.order(map[string]any{"refuse": []int{0x58}})
	n.order(map[string]any{"enquire": true})
	n.next("enquireAnswered")
	if r := one(t, g, text("13800000001", "x")); r.Outcome() != sms.Throttled || r.Err.Code != "ESME_RTHROTTLED" {
		t.Errorf("throttled: %+v", r)
	}
	for _, end := range []string{"cut", "unbind"} {
		n.order(map[string]any{end: true})
		n.next("bound")
		if r := one(t, g, text("13800000003", end)); r.Err != nil {
			t.Errorf("after the %s: %+v", end, r)
		}
	}
}

func TestNodeSMSCRefusesThePassword(t *testing.T) {
	t.Parallel()
	_, addr := startNode(t)
	g := startGateway(t, smpp.Config{Addr: addr, Password: "wrong"})
	if r := one(t, g, text("13800000001", "x")); r.Err == nil || r.Err.Kind != sms.ChannelStopped {
		t.Errorf("%+v", r)
	}
}
