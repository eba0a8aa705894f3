package cmpp

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
)

var benchText = sms.Outgoing{Phone: "13900000001", Text: "【农讯】登记好了:供应 黄桃 5000斤,3.5元/斤,炎陵县中村乡。对的回1", Ref: "r"}

// BenchmarkSubmit sends over one connection with a window of 16 to the emulator, first by a bare loop that knows nothing but the window (a
// frame made beforehand, all that the window lets in one write, answers only counted), then by a Line with everything: ratio is
// the one over the other, in one run against one gateway.
func BenchmarkSubmit(b *testing.B) {
	_, addr := gatewayAt(b, emulator.CMPPOptions{ReportDelay: time.Hour})
	perBare := bareLoop(b, addr, b.N)
	s := newStore()
	l := testLine(b, Config{Addr: addr, Texts: s.Texts, Receipts: s.Receipts, Version: V30})
	run(b, l)
	batch := slices.Repeat([]sms.Outgoing{benchText}, 100)
	if r := l.Send(b.Context(), batch[:1]); r[0].Err != nil {
		b.Fatal(r[0].Err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= len(batch) {
		for _, r := range l.Send(b.Context(), batch[:min(left, len(batch))]) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
	b.StopTimer()
	perLine := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(perLine, "submits/s")
	b.ReportMetric(perBare, "bare/s")
	b.ReportMetric(perLine/perBare, "ratio")
}

// bareLoop sends n SUBMITs and returns how many a second were answered.
func bareLoop(b *testing.B, addr string, n int) float64 {
	c, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	at := Timestamp(time.Now())
	hello := Connect{SPID: "900001", Authenticator: Authenticator("900001", "888888", at), Version: V30, Timestamp: at}
	if _, err = c.Write(hello.Append(nil, 1)); err != nil {
		b.Fatal(err)
	}
	r := bufio.NewReaderSize(c, 64<<10)
	if _, err = r.Discard(33); err != nil {
		b.Fatal(err)
	}
	s := Submit{
		PartTotal: 1, PartSeq: 1, Registered: 1, ServiceID: "svc", FeeUser: 2, FeeType: "01", FeeCode: "000000", SPID: "900001", Fmt: 8,
		From: "10690001", To: []string{benchText.Phone}, Content: sms.EncodeUCS2(benchText.Text)[0],
	}
	one, err := s.Append(nil, V30, 0)
	if err != nil {
		b.Fatal(err)
	}
	const window, respLength = 16, 24
	began := time.Now()
	sent, answered := 0, 0
	var out []byte
	resp := make([]byte, respLength)
	for answered < n {
		out = out[:0]
		for ; sent < n && sent-answered < window; sent++ {
			binary.BigEndian.PutUint32(one[8:], uint32(sent+2))
			out = append(out, one...)
		}
		if len(out) > 0 {
			if _, err = c.Write(out); err != nil {
				b.Fatal(err)
			}
		}
		for first := true; first || r.Buffered() >= respLength; first = false {
			if _, err = io.ReadFull(r, resp); err != nil {
				b.Fatal(err)
			}
			if binary.BigEndian.Uint32(resp[20:]) != 0 {
				b.Fatalf("refused: %x", resp)
			}
			answered++
		}
	}
	return float64(n) / time.Since(began).Seconds()
}

func BenchmarkEncode(b *testing.B) {
	s := Submit{ServiceID: "svc", SPID: "900001", From: "106900001", To: []string{"13500002696"}, Content: make([]byte, 140), Fmt: 8}
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = s.Append(buf[:0], V30, 1)
	}
}

func BenchmarkDecode(b *testing.B) {
	body := unhex(b, deliver30)[headerLength:]
	var d Deliver
	b.ReportAllocs()
	for b.Loop() {
		if err := d.Parse(body, V30); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGranted sends for a minute (b.N is not used) by a line that is granted 100/s to a gateway that counts, and reports how far from
// 6,000 it ends, and the most that came in any one second as the gateway saw it.
func BenchmarkGranted(b *testing.B) {
	const rate, seconds = 100, 60
	var mu sync.Mutex
	var came []time.Time
	_, addr := gatewayAt(b, emulator.CMPPOptions{ReportDelay: time.Hour, Submitted: func(string, []byte) {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, time.Now())
	}})
	s := newStore()
	l := testLine(b, Config{Addr: addr, Texts: s.Texts, Receipts: s.Receipts, Rate: rate})
	run(b, l)
	batch := slices.Repeat([]sms.Outgoing{benchText}, 100)
	for first := true; first || time.Since(came[0]) < seconds*time.Second; first = false {
		for _, r := range l.Send(b.Context(), batch) {
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		}
	}
	n, worst := 0, 0
	for i, at := range came {
		if at.Sub(came[0]) < seconds*time.Second {
			n++
		}
		in := 0
		for _, other := range came[i:] {
			if other.Sub(at) >= time.Second {
				break
			}
			in++
		}
		worst = max(worst, in)
	}
	b.ReportMetric(float64(n), "sent")
	b.ReportMetric(100*(float64(n)/(rate*seconds)-1), "%off")
	b.ReportMetric(float64(worst), "most-in-a-second")
	fmt.Fprintf(b.Output(), "%d in %d s\n", n, seconds)
}
