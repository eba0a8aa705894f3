package line

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheWindowIsKeptAndAnswersFindTheirRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		l, stop := start(c, Options{Window: 4, Connections: 2})
		defer stop()
		var most [2]int
		var peers sync.WaitGroup
		for i := range 2 {
			p := <-c.peers
			peers.Go(func() { // gathers what comes within a while and answers it in any order
				for {
					time.Sleep(time.Millisecond)
					var open []uint32
					for len(p.frames) > 0 {
						f, ok := <-p.frames
						if !ok {
							return
						}
						open = append(open, binary.BigEndian.Uint32(f[5:]))
					}
					select {
					case f, ok := <-p.frames:
						if !ok {
							return
						}
						open = append(open, binary.BigEndian.Uint32(f[5:]))
					default:
					}
					most[i] = max(most[i], len(open))
					rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
					for _, n := range open {
						p.answer(n)
					}
				}
			})
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				for range 200 {
					sent := make(chan uint32, 1)
					var end sync.WaitGroup
					end.Add(1)
					err := l.Ask(t.Context(), func(b []byte, n uint32) ([]byte, error) {
						sent <- n
						return write(b, n)
					}, func(f []byte, err error) {
						if n := <-sent; err != nil || binary.BigEndian.Uint32(f[5:]) != n {
							t.Errorf("request %d ended with %x, %v", n, f, err)
						}
						end.Done()
					})
					if err != nil {
						t.Error(err)
						return
					}
					l.Flush()
					end.Wait()
				}
			})
		}
		e := newEnds()
		for range 1000 {
			send(t, l, e)
		}
		wg.Wait()
		for range 1000 {
			if err := <-e.c; err != nil {
				t.Fatal(err)
			}
		}
		stop()
		peers.Wait()
		if most != [2]int{4, 4} {
			t.Errorf("the widest windows were %v, want 4 and 4", most)
		}
	})
}

func TestAnAnswerThatDoesNotCome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		l, stop := start(c, Options{Window: 2, Timeout: 60 * time.Second, Idle: time.Hour})
		defer stop()
		p := <-c.peers
		e := newEnds()
		began := time.Now()
		send(t, l, e)
		first := p.next(t, request)
		if err := <-e.c; !errors.Is(err, ErrNoAnswer) || time.Since(began) < time.Minute || time.Since(began) > 70*time.Second {
			t.Fatalf("after %s: %v", time.Since(began), err)
		}
		send(t, l, e) // the second place; the first is still held
		second := p.next(t, request)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		if err := l.Ask(ctx, write, e.done); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a third place in a window of two: %v", err)
		}
		cancel()
		p.answer(first) // late: it is told, and frees its place
		if err := <-e.c; err != nil {
			t.Fatal(err)
		}
		send(t, l, e)
		p.next(t, request)
		p.answer(second)
		if err := <-e.c; err != nil {
			t.Fatal(err)
		}
		send(t, l, e) // with this one and the last, nothing is answered any more
		for range 2 {
			if err := <-e.c; !errors.Is(err, ErrNoAnswer) {
				t.Fatal(err)
			}
		}
		go (<-c.peers).serve() // so the connection was given up for another
		send(t, l, e)
		if err := <-e.c; err != nil {
			t.Fatal(err)
		}
	})
}

func TestAQuietConnectionIsProbed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		_, stop := start(c, Options{Timeout: 10 * time.Second, Idle: time.Minute, Probes: 3})
		defer stop()
		p := <-c.peers
		began := time.Now()
		for i := 1; i <= 3; i++ { // answered ones keep it
			p.answer(p.next(t, probe))
			if d := time.Since(began); d < time.Duration(i)*time.Minute || d > time.Duration(i)*time.Minute+10*time.Second {
				t.Fatalf("probe %d came after %s", i, d)
			}
		}
		began = time.Now()
		n := 0
		for f := range p.frames {
			if f[4] == probe {
				n++
			}
		}
		if d := time.Since(began); n != 3 || d < 80*time.Second || d > 100*time.Second {
			t.Errorf("given up after %d probes and %s, want 3 and about 90 s", n, d)
		}
		<-c.peers // another one
	})
}

func TestABrokenConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		l, stop := start(c, Options{})
		defer stop()
		p := <-c.peers
		e := newEnds()
		for range 3 {
			send(t, l, e)
		}
		p.answer(p.next(t, request))
		_, _ = p.conn.Write(frame(answer, 2)[:5]) // cut in the middle of a frame
		_ = p.conn.Close()
		got := map[error]int{}
		for range 3 {
			got[<-e.c]++
		}
		if got[nil] != 1 || got[ErrBroken] != 2 {
			t.Errorf("ended as %v", got)
		}
		send(t, l, e) // waits for the next connection
		go (<-c.peers).serve()
		if err := <-e.c; err != nil {
			t.Fatal(err)
		}
	})
}

// A connection that is cut in its work again and again is made again soon each time, one that carries nothing ever more rarely.
func TestWhatWorkedIsMadeAgainSoon(t *testing.T) {
	t.Parallel()
	cuts := func(t *testing.T, works bool) time.Duration {
		t.Helper()
		began := time.Now()
		c := newCarrier()
		l, stop := start(c, Options{Patience: time.Hour})
		defer stop()
		e := newEnds()
		for range 8 {
			p := <-c.peers
			if works {
				send(t, l, e)
				p.answer(p.next(t, request))
				if err := <-e.c; err != nil {
					t.Fatal(err)
				}
			}
			_ = p.conn.Close()
		}
		return time.Since(began)
	}
	synctest.Test(t, func(t *testing.T) {
		if took := cuts(t, true); took > 12*time.Second {
			t.Errorf("eight cuts of a connection that works took %s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		if took := cuts(t, false); took < time.Minute {
			t.Errorf("eight connections that carry nothing were made within %s", took)
		}
	})
}

func TestAFrameOfImpossibleLengthEndsTheConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		_, stop := start(c, Options{})
		defer stop()
		for _, f := range [][]byte{{0, 0, 0, 8, 1, 0, 0, 0, 1}, {0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 1}} {
			p := <-c.peers
			_, _ = p.conn.Write(f)
			for range p.frames {
				t.Error("a frame")
			}
		}
	})
}

func TestRequestsOfTheCarrierAreHandedOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		p := protocol(c.dial)
		lengths := make(chan int, 10)
		p.Handle = func(conn *Conn, f []byte) {
			lengths <- len(f)
			conn.Reply(func(b []byte) []byte { return append(b, frame(answer, binary.BigEndian.Uint32(f[5:]))...) })
			if f[4] == leave {
				conn.End(io.EOF, func(b []byte) []byte { return append(b, frame(answer, 99)...) })
			}
		}
		l := New(p, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { l.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		peer := <-c.peers
		long := append(frame(push, 7), make([]byte, 200_000)...) // longer than the buffer
		binary.BigEndian.PutUint32(long, uint32(len(long)))
		for _, f := range [][]byte{long, frame(push, 8), frame(leave, 9)} {
			_, _ = peer.conn.Write(f)
			if n := <-lengths; n != len(f) {
				t.Errorf("%d bytes, want %d", n, len(f))
			}
			if n := peer.next(t, answer); n != binary.BigEndian.Uint32(f[5:]) {
				t.Errorf("answer %d", n)
			}
		}
		if n := peer.next(t, answer); n != 99 { // the last word comes before the end
			t.Errorf("last answer %d", n)
		}
		if _, more := <-peer.frames; more {
			t.Error("the connection goes on")
		}
	})
}

func TestNoConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		refused := io.ErrClosedPipe
		c.fail.Store(&refused)
		l, stop := start(c, Options{Patience: 5 * time.Second})
		defer stop()
		began := time.Now()
		if err := l.Ask(t.Context(), write, nil); !errors.Is(err, ErrDown) || !errors.Is(err, refused) || time.Since(began) != 5*time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		began = time.Now()
		if err := l.Ask(t.Context(), write, nil); !errors.Is(err, ErrDown) || time.Since(began) != 0 {
			t.Errorf("once it is down, after %s: %v", time.Since(began), err)
		}
		if up, err := l.Up(); up != 0 || !errors.Is(err, refused) {
			t.Errorf("%d up, %v", up, err)
		}
		time.Sleep(10 * time.Minute)
		// 1, 2, 4 … 60 s, each by a half more or less.
		if n := c.dials.Load(); n < 10 || n > 30 {
			t.Errorf("%d attempts in 10 minutes", n)
		}
		c.fail.Store(nil)
		e := newEnds()
		go func() { (<-c.peers).serve() }()
		time.Sleep(2 * time.Minute)
		send(t, l, e)
		if err := <-e.c; err != nil {
			t.Fatal(err)
		}
	})
}

func TestARefusedLogInIsNotTriedOftenAndFailsAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		refused := errRefused
		c.fail.Store(&refused)
		l, stop := start(c, Options{})
		defer stop()
		synctest.Wait()
		began := time.Now()
		if err := l.Ask(t.Context(), write, nil); !errors.Is(err, errRefused) || time.Since(began) != 0 {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		time.Sleep(10 * time.Minute)
		if n := c.dials.Load(); n > 21 {
			t.Errorf("%d attempts in 10 minutes", n)
		}
	})
}

func TestTheGrantedRate(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{1, 10, 100, 1000} {
		synctest.Test(t, func(t *testing.T) {
			c := newCarrier()
			l, stop := start(c, Options{Rate: rate})
			defer stop()
			go (<-c.peers).serve()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			n := 0
			for ; l.Ask(ctx, write, func([]byte, error) {}) == nil; n++ {
			}
			if most, least := rate*60*1.01+1, rate*60*0.95; float64(n) > most || float64(n) < least {
				t.Errorf("%v/s: %d in a minute, want %.0f to %.0f", rate, n, least, most)
			}
		})
	}
}

func TestSlowAndFastAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		l, stop := start(c, Options{Rate: 100})
		defer stop()
		go (<-c.peers).serve()
		in := func(d time.Duration) int {
			ctx, cancel := context.WithTimeout(t.Context(), d)
			defer cancel()
			n := 0
			for l.Ask(ctx, write, func([]byte, error) {}) == nil {
				n++
			}
			return n
		}
		if n := in(10 * time.Second); n < 950 {
			t.Errorf("%d in 10 s before", n)
		}
		l.Slow()
		l.Slow() // the same moment: once
		if n := in(time.Second); n > 2 {
			t.Errorf("%d in the second after", n)
		}
		if n := in(time.Second); n < 45 || n > 60 {
			t.Errorf("%d in the second after that, want about half", n)
		}
		time.Sleep(time.Second)
		in(20 * time.Second)
		if n := in(10 * time.Second); n < 950 {
			t.Errorf("%d in 10 s when it has recovered", n)
		}
	})
}

func TestLeaving(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newCarrier()
		l, stop := start(c, Options{})
		p := <-c.peers
		e := newEnds()
		send(t, l, e)
		n := p.next(t, request)
		over := make(chan struct{})
		go func() {
			stop()
			close(over)
		}()
		synctest.Wait() // it waits for the answer
		if err := l.Ask(t.Context(), write, e.done); !errors.Is(err, ErrClosed) {
			t.Errorf("while it leaves: %v", err)
		}
		p.answer(n)
		if err := <-e.c; err != nil {
			t.Errorf("the last request: %v", err)
		}
		p.answer(p.next(t, leave))
		<-over
		if err := l.Ask(t.Context(), write, e.done); !errors.Is(err, ErrClosed) {
			t.Errorf("afterwards: %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a carrier that says nothing keeps nobody
		c := newCarrier()
		l, stop := start(c, Options{})
		<-c.peers
		e := newEnds()
		send(t, l, e)
		began := time.Now()
		stop()
		if d := time.Since(began); d != leaveTimeout {
			t.Errorf("left after %s", d)
		}
		if err := <-e.c; !errors.Is(err, ErrBroken) {
			t.Errorf("%v", err)
		}
	})
}

func TestBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := NewBatches[int](5, 3)
		for i := range 5 {
			if !b.Add(i) {
				t.Fatalf("no room for %d", i)
			}
		}
		if b.Add(5) {
			t.Error("room for a sixth of five")
		}
		ctx, cancel := context.WithCancel(t.Context())
		var sizes []int
		go b.Run(ctx, func(_ context.Context, items []int) { sizes = append(sizes, len(items)) })
		synctest.Wait()
		cancel()
		synctest.Wait()
		if len(sizes) != 2 || sizes[0] != 3 || sizes[1] != 2 {
			t.Errorf("batches of %v", sizes)
		}
	})
}
