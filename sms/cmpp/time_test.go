package cmpp

import (
	"bufio"
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// script is a gateway whose every frame is in the hands of the test: it answers CONNECT and then notes what comes and when.
type script struct {
	net.Conn
	mu   sync.Mutex
	came []Command
	at   []time.Duration
}

// open gives a connection to a scripted gateway inside a synctest bubble; answer decides what it writes to each frame, nil for nothing.
func open(t *testing.T, o ConnOptions, answer func(Frame) []byte) (*Conn, *script) {
	t.Helper()
	ours, theirs := net.Pipe()
	s := &script{Conn: theirs}
	began := time.Now()
	go func() {
		r := bufio.NewReader(theirs)
		var buf []byte
		for {
			f, err := ReadFrame(r, &buf)
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
	}()
	o.SPID, o.Secret = "900001", "888888"
	c, err := Open(t.Context(), ours, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		c.Close(ctx)
		theirs.Close()
	})
	return c, s
}

func (s *script) frames() ([]Command, []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.came), slices.Clone(s.at)
}

func silent(Frame) []byte { return nil }

var text = &Submit{To: []string{"13900000001"}, Content: []byte("1"), From: "10690001"}

// TestQuietConnectionIsTested: after C an ACTIVE_TEST, again after T, and after N without an answer the connection is given up.
func TestQuietConnectionIsTested(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := open(t, ConnOptions{Idle: 3 * time.Minute, Timeout: time.Minute, Tries: 3}, silent)
		time.Sleep(5*time.Minute + 30*time.Second)
		came, at := s.frames()
		if !slices.Equal(came, []Command{CmdActiveTest, CmdActiveTest, CmdActiveTest}) {
			t.Fatalf("%v", came)
		}
		for i, want := range []time.Duration{3 * time.Minute, 4 * time.Minute, 5 * time.Minute} {
			if late := at[i] - want; late < 0 || late > 10*time.Second {
				t.Errorf("test %d after %s, want %s", i+1, at[i], want)
			}
		}
		if c.Err() != nil {
			t.Fatalf("given up too early: %v", c.Err())
		}
		time.Sleep(40 * time.Second)
		if !errors.Is(c.Err(), ErrNoAnswer) {
			t.Errorf("%v", c.Err())
		}
	})
}

func TestConnectionThatAnswersTestsLives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := open(t, ConnOptions{}, func(f Frame) []byte {
			if f.Command == CmdActiveTest {
				return appendActiveTestResp(nil, f.Sequence)
			}
			return nil
		})
		time.Sleep(time.Hour)
		came, _ := s.frames()
		if c.Err() != nil || len(came) < 100 || len(came) > 125 {
			t.Errorf("%v after %d tests", c.Err(), len(came))
		}
	})
}

// TestUnansweredRequests: after T it has no answer, and its place in the window stays taken, for the gateway may count it still; after
// N such the connection is given up.
func TestUnansweredRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := open(t, ConnOptions{Window: 4, Timeout: time.Minute, Tries: 3, Idle: 10 * time.Minute}, silent)
		var mu sync.Mutex
		var ends []error
		submit := func() error {
			return c.Submit(text, func(_ Resp, err error) { mu.Lock(); ends = append(ends, err); mu.Unlock() })
		}
		seen := func() []error { mu.Lock(); defer mu.Unlock(); return slices.Clone(ends) }
		for range 2 {
			if err := submit(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(70 * time.Second)
		if got := seen(); len(got) != 2 || !errors.Is(got[0], ErrNoAnswer) {
			t.Fatalf("%v", got)
		}
		for range 2 {
			if err := submit(); err != nil {
				t.Fatal(err)
			}
		}
		if err := submit(); !errors.Is(err, errFull) {
			t.Fatalf("a fifth in a window of four: %v", err)
		}
		time.Sleep(70 * time.Second)
		if got := seen(); !errors.Is(c.Err(), ErrNoAnswer) || len(got) != 4 {
			t.Errorf("%v, %d ends", c.Err(), len(got))
		}
		if err := submit(); !errors.Is(err, ErrClosed) {
			t.Errorf("%v", err)
		}
		if came, _ := s.frames(); len(came) != 4 {
			t.Errorf("%d frames were sent, want 4: nothing goes twice", len(came))
		}
	})
}

func TestAnswersAreMatchedBySequence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var held []uint32
		c, _ := open(t, ConnOptions{Window: 3}, func(f Frame) []byte {
			if held = append(held, f.Sequence); len(held) < 3 {
				return nil
			}
			var b []byte
			for i, seq := range []uint32{held[2], 999, held[0], held[1]} { // out of order, and one to nothing
				b = Resp{MsgID(seq), uint32(i)}.Append(b, CmdSubmit, V20, seq)
			}
			return b
		})
		var mu sync.Mutex
		got := map[int]uint32{}
		for i := range 3 {
			if err := c.Submit(text, func(r Resp, err error) { mu.Lock(); got[i] = r.Result; mu.Unlock() }); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if got[0] != 2 || got[1] != 3 || got[2] != 0 {
			t.Errorf("%v", got)
		}
	})
}

// TestOrderlyEnd: what is under way gets its answer, then TERMINATE is said.
func TestOrderlyEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c *Conn
		var s *script
		c, s = open(t, ConnOptions{}, func(f Frame) []byte {
			switch f.Command {
			case CmdSubmit:
				time.Sleep(time.Second)
				return Resp{7, 0}.Append(nil, CmdSubmit, V20, f.Sequence)
			case CmdTerminate:
				return appendBare(nil, CmdTerminate.Answer(), f.Sequence)
			}
			return nil
		})
		var id MsgID
		if err := c.Submit(text, func(r Resp, _ error) { id = r.MsgID }); err != nil {
			t.Fatal(err)
		}
		c.Close(t.Context())
		came, _ := s.frames()
		if id != 7 || !slices.Equal(came, []Command{CmdSubmit, CmdTerminate}) {
			t.Errorf("id %d, frames %v", id, came)
		}
	})
}

func TestGatewayEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, s := open(t, ConnOptions{}, silent)
		var end error
		if err := c.Submit(text, func(_ Resp, err error) { end = err }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if _, err := s.Write(appendBare(nil, CmdTerminate, 5)); err != nil {
			t.Fatal(err)
		}
		<-c.Dead()
		synctest.Wait()
		came, _ := s.frames()
		if !errors.Is(end, ErrClosed) || came[len(came)-1] != CmdTerminate.Answer() {
			t.Errorf("%v, frames %v", end, came)
		}
	})
}

// TestPace: at most the rate in any second, and the rate in the long run, also when every wake-up is late.
func TestPace(t *testing.T) {
	t.Parallel()
	for _, late := range []time.Duration{0, time.Millisecond, 9 * time.Millisecond, 30 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			const rate, seconds = 100, 60
			p := newPace(rate)
			var sent []time.Time
			for began := time.Now(); time.Since(began) < seconds*time.Second; {
				if err := p.wait(t.Context()); err != nil {
					t.Fatal(err)
				}
				if len(sent)%7 == 3 {
					time.Sleep(late)
				}
				sent = append(sent, time.Now())
			}
			for i := rate; i < len(sent); i++ {
				if d := sent[i].Sub(sent[i-rate]); d < time.Second-late {
					t.Fatalf("%d within %s", rate+1, d)
				}
			}
			if n := len(sent); n > rate*seconds*101/100 || n < rate*seconds*95/100 {
				t.Errorf("late by %s: %d in a minute", late, n)
			}
		})
	}
}

func TestPaceSlowsDownAndRecovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPace(100)
		count := func() (n int) {
			for began := time.Now(); time.Since(began) < time.Second; n++ {
				_ = p.wait(t.Context())
			}
			return n
		}
		count()
		p.slow(time.Now())
		p.slow(time.Now()) // of the same second
		if n := count(); n > 2 {
			t.Errorf("%d in the second after flow control", n)
		}
		if n := count(); n < 40 || n > 65 {
			t.Errorf("%d in the next second, want about half", n)
		}
		time.Sleep(recovery)
		count()
		if n := count(); n < 95 || n > 101 {
			t.Errorf("%d when recovered", n)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	var b backoff
	last := time.Duration(0)
	for i := range 12 {
		d := b.next(errors.New("refused"))
		if low, high := min(250*time.Millisecond<<i, 30*time.Second), min(500*time.Millisecond<<i, time.Minute); d < low || d > high {
			t.Errorf("pause %d is %s, want %s to %s", i, d, low, high)
		}
		last = d
	}
	if last < 30*time.Second {
		t.Error("it does not grow")
	}
	var locked backoff
	if d := locked.next(&ConnectError{3}); d < 30*time.Second {
		t.Errorf("after a refusal it tries again in %s", d)
	}
}
