package smpp_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/smpp"
)

// BenchmarkSubmit sends through a Gateway and, for the ratio, through a bare loop that writes frames made beforehand over the same kind
// of connection with the same window. One operation is one submit_sm with its answer.
func BenchmarkSubmit(b *testing.B) {
	for _, window := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("window=%d", window), func(b *testing.B) {
			s := startSMSC(b, emulator.SMSCOptions{Window: window, NoReports: true})
			g := startGateway(b, smpp.Config{Addr: s.Addr(), Window: window, Country: "86"})
			batch := make([]sms.Outgoing, 500)
			for i := range batch {
				batch[i] = text("138"+strconv.Itoa(10_000_000+i), "黄桃今日3.5元/斤，炎陵县中村乡")
			}
			g.Send(b.Context(), batch[:1]) // connected
			var ours, bare time.Duration
			bareLoop := newBareLoop(b, s.Addr(), window)
			b.ReportAllocs()
			for b.Loop() { // in turn, so that both see the same machine
				began := time.Now()
				for i, r := range g.Send(b.Context(), batch) {
					if r.Err != nil {
						b.Fatal(i, r.Err)
					}
				}
				ours += time.Since(began)
				b.StopTimer()
				began = time.Now()
				bareLoop(len(batch))
				bare += time.Since(began)
				b.StartTimer()
			}
			n := float64(b.N * len(batch))
			b.ReportMetric(n/ours.Seconds(), "submits/s")
			b.ReportMetric(n/bare.Seconds(), "bare/s")
			b.ReportMetric(bare.Seconds()/ours.Seconds(), "ratio")
		})
	}
}

// newBareLoop binds and returns what submits n messages with at most window unanswered.
func newBareLoop(b *testing.B, addr string, window int) func(n int) {
	b.Helper()
	conn, err := new(net.Dialer).DialContext(context.Background(), "tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = conn.Close() })
	bind, _ := smpp.Append(nil, smpp.Header{Command: smpp.BindTransceiver, Sequence: 1}, &smpp.Bind{SystemID: "nongxun", Password: "secret"})
	ucs2 := make([]byte, 36)
	submit, _ := smpp.Append(nil, smpp.Header{Command: smpp.SubmitSM}, &smpp.Message{
		Source: smpp.Address{Addr: "10690001"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "8613800000001"}, DataCoding: 8, ShortMessage: ucs2,
	})
	in := bufio.NewReaderSize(conn, 64<<10)
	answer := func() {
		head, err := in.Peek(4)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := in.Discard(int(binary.BigEndian.Uint32(head))); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := conn.Write(bind); err != nil {
		b.Fatal(err)
	}
	answer()
	sequence := uint32(1)
	var out []byte
	return func(n int) {
		open := 0
		for sent := 0; sent < n || open > 0; {
			out = out[:0]
			for ; open < window && sent < n; open, sent = open+1, sent+1 {
				sequence++
				at := len(out)
				out = append(out, submit...)
				binary.BigEndian.PutUint32(out[at+12:], sequence)
			}
			if _, err := conn.Write(out); err != nil {
				b.Fatal(err)
			}
			for answer(); ; answer() {
				if open--; open == 0 || in.Buffered() < 16 {
					break
				}
			}
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	m := &smpp.Message{
		Source: smpp.Address{Addr: "10690001"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "8613800000001"}, DataCoding: 8, ShortMessage: make([]byte, 140),
	}
	out := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		out, _ = smpp.Append(out[:0], smpp.Header{Command: smpp.SubmitSM, Sequence: 1}, m)
	}
}

func BenchmarkDecode(b *testing.B) {
	frame, _ := smpp.Append(nil, smpp.Header{Command: smpp.DeliverSM, Sequence: 1}, &smpp.Message{
		Source: smpp.Address{Addr: "8613800000001"}, Dest: smpp.Address{TON: 1, NPI: 1, Addr: "10690001"}, DataCoding: 8, ShortMessage: make([]byte, 140),
	})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := smpp.Decode(frame); err != nil {
			b.Fatal(err)
		}
	}
}
