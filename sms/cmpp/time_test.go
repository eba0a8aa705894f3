package cmpp

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// script is a gateway whose every frame is in the hands of the test: it answers CONNECT and then notes what comes and when.
type script struct {
	net.Conn
	mu     sync.Mutex
	came   []Command
	at     []time.Duration
	logins int
}

// scripted runs a line to scripted gateways inside a synctest bubble; answer decides what they write to each frame, nil for nothing.
func scripted(t *testing.T, c Config, answer func(Frame) []byte) (l *Line, s *script, stop func()) {
	t.Helper()
	s = &script{}
	began := time.Now()
	serve := func(theirs net.Conn) {
		for {
			f, err := readFrame(theirs)
			if err != nil {
				return
			}
			if f.Command == CmdConnect {
				_, _ = theirs.Write((&ConnectResp{Version: V20}).Append(nil, V20, f.Sequence))
				continue
			}
			s.mu.Lock()
			s.came, s.at = append(s.came, f.Command), append(s.at, time.Since(began))
			s.mu.Unlock()
			if b := answer(f); b != nil {
				_, _ = theirs.Write(b)
			}
		}
	}
	c.Dial = func(context.Context, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		s.mu.Lock()
		s.Conn = theirs
		s.logins++
		s.mu.Unlock()
		go serve(theirs)
		return ours, nil
	}
	l = testLine(t, c)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	synctest.Wait()
	return l, s, func() { cancel(); <-done; s.Close() }
}

func (s *script) frames() ([]Command, []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.came), slices.Clone(s.at)
}

// connections is how many were made.
func (s *script) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

func silent(Frame) []byte { return nil }

// TestQuietConnectionIsTested: after C an ACTIVE_TEST, again after T, and after N without an answer the connection is given up and
// another one made.
func TestQuietConnectionIsTested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s, stop := scripted(t, Config{Idle: 3 * time.Minute, Timeout: time.Minute}, silent)
		defer stop()
		time.Sleep(5*time.Minute + 30*time.Second)
		came, at := s.frames()
		if !slices.Equal(came, []Command{CmdActiveTest, CmdActiveTest, CmdActiveTest}) {
			t.Fatalf("%v", came)
		}
		for i, want := range []time.Duration{3 * time.Minute, 4 * time.Minute, 5 * time.Minute} {
			if late := at[i] - want; late < 0 || late > 15*time.Second {
				t.Errorf("test %d after %s, want %s", i+1, at[i], want)
			}
		}
		if s.connections() != 1 {
			t.Fatal("given up too early")
		}
		time.Sleep(time.Minute)
		if s.connections() != 2 {
			t.Errorf("%d connections, want a second one", s.connections())
		}
	})
}

func TestConnectionThatAnswersTestsLives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s, stop := scripted(t, Config{}, func(f Frame) []byte {
			if f.Command == CmdActiveTest {
				return appendActiveTestResp(nil, f.Sequence)
			}
			return nil
		})
		defer stop()
		time.Sleep(time.Hour)
		if came, _ := s.frames(); s.connections() != 1 || len(came) < 100 || len(came) > 125 {
			t.Errorf("%d connections, %d tests", s.connections(), len(came))
		}
	})
}

// TestUnansweredSubmits: after T each is unknown, and none goes twice, not even by the next connection.
func TestUnansweredSubmits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s, stop := scripted(t, Config{Window: 4, Timeout: time.Minute, Idle: 10 * time.Minute}, silent)
		defer stop()
		began := time.Now()
		for i, r := range l.Send(t.Context(), out(4, "登记好了")) {
			if r.Err == nil || r.Err.Kind != sms.Unknown || r.Err.Code != CodeNoAnswer {
				t.Errorf("%d: %+v", i, r)
			}
		}
		if took := time.Since(began); took < time.Minute || took > 70*time.Second {
			t.Errorf("given up after %s, want a minute", took)
		}
		time.Sleep(10 * time.Minute)
		submits := 0
		came, _ := s.frames()
		for _, c := range came {
			if c == CmdSubmit {
				submits++
			}
		}
		if submits != 4 {
			t.Errorf("%d SUBMITs for 4 messages", submits)
		}
	})
}

// TestAnswersAreMatchedBySequence: they come out of order, and one is to nothing that was asked.
func TestAnswersAreMatchedBySequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var held []uint32
		l, _, stop := scripted(t, Config{Window: 3}, func(f Frame) []byte {
			if f.Command != CmdSubmit {
				return nil
			}
			if held = append(held, f.Sequence); len(held) < 3 {
				return nil
			}
			var b []byte
			for i, seq := range []uint32{held[2], 999, held[0], held[1]} {
				b = Resp{MsgID(i + 1), 0}.Append(b, CmdSubmit, V20, seq)
			}
			return b
		})
		defer stop()
		for i, r := range l.Send(t.Context(), out(3, "登记好了")) {
			if want := []string{"0000000000000003", "0000000000000004", "0000000000000001"}[i]; r.Err != nil || r.ProviderID != want {
				t.Errorf("%d: %+v, want %s", i, r, want)
			}
		}
	})
}

// TestOrderlyEnd: what is under way gets its answer, then TERMINATE is said.
func TestOrderlyEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s, stop := scripted(t, Config{}, func(f Frame) []byte {
			switch f.Command {
			case CmdSubmit:
				time.Sleep(time.Second)
				return Resp{7, 0}.Append(nil, CmdSubmit, V20, f.Sequence)
			case CmdTerminate:
				return appendBare(nil, CmdTerminate.Answer(), f.Sequence)
			}
			return nil
		})
		got := make(chan sms.Result, 1)
		go func() { got <- l.Send(context.Background(), out(1, "登记好了"))[0] }()
		time.Sleep(100 * time.Millisecond)
		stop()
		came, _ := s.frames()
		if r := <-got; r.Err != nil || !slices.Equal(came, []Command{CmdSubmit, CmdTerminate}) {
			t.Errorf("%+v, frames %v", r, came)
		}
	})
}

// TestGatewayEndsTheConnection: its TERMINATE is answered, what has no answer is unknown, and a new connection is made.
func TestGatewayEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, s, stop := scripted(t, Config{}, silent)
		defer stop()
		got := make(chan sms.Result, 1)
		go func() { got <- l.Send(context.Background(), out(1, "登记好了"))[0] }()
		synctest.Wait()
		if _, err := s.Write(appendBare(nil, CmdTerminate, 5)); err != nil {
			t.Fatal(err)
		}
		r := <-got
		time.Sleep(5 * time.Second)
		came, _ := s.frames()
		if r.Err == nil || r.Err.Kind != sms.Unknown || !slices.Contains(came, CmdTerminate.Answer()) || s.connections() != 2 {
			t.Errorf("%+v, frames %v, %d connections", r, came, s.connections())
		}
	})
}

// TestUnreadableDeliverIsRefused: answered with 1, else it would come for ever.
func TestUnreadableDeliverIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, s, stop := scripted(t, Config{}, silent)
		defer stop()
		bad := append(appendBare(nil, CmdDeliver, 9), 0xb4, 0xc5)
		bad[3] += 2
		if _, err := s.Write(bad); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if came, _ := s.frames(); !slices.Equal(came, []Command{CmdDeliver.Answer()}) {
			t.Errorf("%v", came)
		}
	})
}
