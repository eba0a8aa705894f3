package emulator_test

import (
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/internal/emulator"
)

// sp is a service provider that speaks CMPP 2.0 in bytes.
type sp struct {
	net.Conn
	t *testing.T
}

func isp(t *testing.T, o emulator.CMPPOptions) (*emulator.CMPP, func(at time.Time, secret string) (*sp, byte)) {
	t.Helper()
	o.SPID, o.Secret, o.Number = "900001", "888888", "10690001"
	g, err := emulator.NewCMPP(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.Serve(l)
	t.Cleanup(g.Close)
	return g, func(at time.Time, secret string) (*sp, byte) {
		t.Helper()
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_ = c.SetDeadline(time.Now().Add(20 * time.Second))
		s := &sp{c, t}
		stamp := at.In(time.FixedZone("", 8*3600)).Format("0102150405")
		sum := md5.Sum([]byte("900001" + strings.Repeat("\x00", 9) + secret + stamp))
		var n uint32
		fmt.Sscan(strings.TrimLeft(stamp, "0"), &n)
		body := append(append([]byte("900001"), sum[:]...), 0x20)
		s.send(1, 1, binary.BigEndian.AppendUint32(body, n))
		command, _, answer := s.next()
		if command != 0x80000001 {
			t.Fatalf("%#x in place of CONNECT_RESP", command)
		}
		return s, answer[0]
	}
}

func (s *sp) send(command, sequence uint32, body []byte) {
	s.t.Helper()
	head := binary.BigEndian.AppendUint32(nil, uint32(12+len(body)))
	head = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(head, command), sequence)
	if _, err := s.Write(append(head, body...)); err != nil {
		s.t.Fatal(err)
	}
}

// next is the next frame; a command of 0 is the end of the connection, with what was left of a frame as body.
func (s *sp) next() (command, sequence uint32, body []byte) {
	s.t.Helper()
	head := make([]byte, 12)
	if n, err := io.ReadFull(s, head); err != nil {
		return 0, 0, head[:n]
	}
	body = make([]byte, binary.BigEndian.Uint32(head)-12)
	if n, err := io.ReadFull(s, body); err != nil {
		return 0, 0, append(head, body[:n]...)
	}
	return binary.BigEndian.Uint32(head[4:]), binary.BigEndian.Uint32(head[8:]), body
}

// submitBody is a SUBMIT of 2.0 from the table of the specification.
func submitBody(from, to string) []byte {
	pad := func(s string, n int) string { return s + strings.Repeat("\x00", n-len(s)) }
	return []byte(strings.Repeat("\x00", 8) + "\x01\x01\x01\x00" + pad("svc", 10) + "\x02" + pad("", 21) + "\x00\x00\x08" + "900001" + "01" + "000000" +
		pad("", 17) + pad("", 17) + pad(from, 21) + "\x01" + pad(to, 21) + "\x02" + "\x9e\xc4" + pad("", 8))
}

func TestCMPPConnectChecksSecretAndClock(t *testing.T) {
	t.Parallel()
	_, connect := isp(t, emulator.CMPPOptions{})
	for name, c := range map[string]struct {
		at     time.Time
		secret string
		want   byte
	}{
		"right": {time.Now(), "888888", 0}, "wrong secret": {time.Now(), "888889", 3}, "an hour late": {time.Now().Add(-time.Hour), "888888", 3},
	} {
		if _, status := connect(c.at, c.secret); status != c.want {
			t.Errorf("%s: status %d, want %d", name, status, c.want)
		}
	}
}

func TestCMPPSubmitIsCheckedAndReported(t *testing.T) {
	t.Parallel()
	g, connect := isp(t, emulator.CMPPOptions{ReportDelay: time.Millisecond})
	s, _ := connect(time.Now(), "888888")
	reported := false
	for i, c := range []struct {
		body   []byte
		result byte
	}{
		{submitBody("1069000101", "13900000001"), 0},
		{submitBody("10680001", "13900000001"), 10},
		{submitBody("10690001", "12345"), 13},
		{submitBody("10690001", "13900000001")[:100], 1},
		{append(submitBody("10690001", "13900000001"), 0), 4},
	} {
		s.send(4, uint32(10+i), c.body)
		for {
			command, sequence, body := s.next()
			if command == 5 { // the report of the first
				reported = true
				if body[63] != 1 || string(body[73:80]) != "DELIVRD" {
					t.Errorf("a report: %s", hex.EncodeToString(body))
				}
				s.send(0x80000005, sequence, append(body[:8:8], 0))
				continue
			}
			if command != 0x80000004 || sequence != uint32(10+i) || body[8] != c.result {
				t.Errorf("%d: %#x %d %x, want result %d", i, command, sequence, body, c.result)
			}
			break
		}
	}
	for !reported {
		command, _, body := s.next()
		reported = command == 5 && body[63] == 1 && string(body[73:80]) == "DELIVRD"
		if command == 0 {
			t.Fatal("no report came")
		}
	}
	if g.Arrived("13900000001") != 1 {
		t.Errorf("%d arrived", g.Arrived("13900000001"))
	}
}

func TestCMPPWindowIsEnforced(t *testing.T) {
	t.Parallel()
	g, connect := isp(t, emulator.CMPPOptions{Window: 3, Latency: time.Hour})
	s, _ := connect(time.Now(), "888888")
	for i := range 4 {
		s.send(4, uint32(10+i), submitBody("10690001", "13900000001"))
	}
	if command, _, _ := s.next(); command != 0 || g.Violations() != 1 {
		t.Errorf("%#x, %d violations; want the connection closed", command, g.Violations())
	}
}

func TestCMPPRateIsEnforced(t *testing.T) {
	t.Parallel()
	g, connect := isp(t, emulator.CMPPOptions{Rate: 5, ReportDelay: time.Hour})
	s, _ := connect(time.Now(), "888888")
	results := map[byte]int{}
	for i := range 8 {
		s.send(4, uint32(10+i), submitBody("10690001", "13900000001"))
		_, _, body := s.next()
		results[body[8]]++
	}
	if results[0] != 5 || results[8] != 3 || g.Throttled() != 3 {
		t.Errorf("%v", results)
	}
}

// TestCMPPDeliverIsRepeatedUntilAnswered: by the same connection after a while, and by the next one when it breaks inside a frame.
func TestCMPPDeliverIsRepeatedUntilAnswered(t *testing.T) {
	t.Parallel()
	g, connect := isp(t, emulator.CMPPOptions{RepeatAfter: 50 * time.Millisecond})
	s, _ := connect(time.Now(), "888888")
	answered := g.Post("13900000001", "02", "黄")
	command, first, body := s.next()
	if command != 5 || strings.TrimRight(string(body[8:29]), "\x00") != "1069000102" || string(body[65:67]) != "\x9e\xc4" || len(body) != 75 {
		t.Fatalf("%#x %x", command, body)
	}
	_, second, again := s.next()
	if second == first || string(again) != string(body) {
		t.Errorf("repeated as %d %x", second, again)
	}
	if !g.Cut() {
		t.Fatal("nothing to cut")
	}
	for command != 0 {
		command, _, again = s.next()
	}
	if len(again) == 0 {
		t.Error("the connection did not break inside a frame")
	}
	s, _ = connect(time.Now(), "888888")
	_, sequence, again := s.next()
	if string(again) != string(body) {
		t.Errorf("by the next connection: %x", again)
	}
	s.send(0x80000005, sequence, append(again[:8:8], 0))
	select {
	case <-answered[0]:
	case <-time.After(time.Minute):
		t.Error("the answer was not taken")
	}
}
