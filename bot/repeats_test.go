package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Replicas, and a process that was started again, answer a repeat with the same bytes.
func TestRepeatsGetTheSameBytes(t *testing.T) {
	body := textBody("oA", "桃", 1)
	var first []byte
	for range 3 {
		h := newHandler(t, config(Secure), answerOK)
		got := serve(h, sealedRequest(t, testKey, testAppID, body, "", noon)).Body.Bytes()
		if first == nil {
			first = got
		}
		if !bytes.Equal(got, first) {
			t.Errorf("got  %s\nwant %s", got, first)
		}
	}
	h := newHandler(t, config(Secure), answerOK)
	if other := serve(h, sealedRequest(t, testKey, testAppID, textBody("oA", "桃", 2), "", noon)).Body.Bytes(); bytes.Equal(other, first) {
		t.Error("two messages got the same bytes")
	}
}

func TestRepeatsWhileRunning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := newHandler(t, config(Secure), func(ctx context.Context, m *Message) (Reply, error) {
			calls.Add(1)
			time.Sleep(2 * time.Second)
			return answerOK(ctx, m)
		})
		var wg sync.WaitGroup
		bodies := make([]string, 30)
		for i := range bodies {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Millisecond)
				bodies[i] = serve(h, sealedRequest(t, testKey, testAppID, textBody("oA", "桃", 1), "", noon)).Body.String()
			})
		}
		wg.Wait()
		if calls.Load() != 1 {
			t.Errorf("Receive called %d times", calls.Load())
		}
		for _, b := range bodies {
			if b != bodies[0] || b == "" || b == "success" {
				t.Fatalf("got %q and %q", b, bodies[0])
			}
		}
	})
}

// Past its patience the handler answers success, also to repeats while Receive still runs, and Wait waits for Receive.
func TestSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		h := newHandler(t, config(Plain), func(ctx context.Context, _ *Message) (Reply, error) {
			calls.Add(1)
			if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) != 4500*time.Millisecond {
				t.Errorf("deadline in %v", time.Until(deadline))
			}
			time.Sleep(20 * time.Second) // deaf to its context
			return Reply{Text: "too late"}, nil
		})
		start := time.Now()
		for _, after := range []time.Duration{0, 5 * time.Second, 10 * time.Second} {
			time.Sleep(time.Until(start.Add(after)))
			w := serve(h, plainRequest(textBody("oA", "桃", 1), noon))
			if w.Code != 200 || w.Body.String() != "success" {
				t.Errorf("after %v: got %d %q", after, w.Code, w.Body)
			}
		}
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait does not wait: %v", err)
		}
		if err := h.Wait(t.Context()); err != nil || time.Since(start) != 20*time.Second {
			t.Errorf("Wait: %v after %v", err, time.Since(start))
		}
		if calls.Load() != 1 {
			t.Errorf("Receive called %d times", calls.Load())
		}
	})
}

// A Receive that heeds its context decides the outcome itself.
func TestDeadlineHeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, config(Plain), func(ctx context.Context, _ *Message) (Reply, error) {
			<-ctx.Done()
			return Reply{}, fmt.Errorf("%w: %w", ErrNotStored, ctx.Err())
		})
		if w := serve(h, plainRequest(textBody("oA", "桃", 1), noon)); w.Code != 500 {
			t.Errorf("got %d", w.Code)
		}
	})
}

// When the platform hangs up, the message goes on.
func TestHangUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finished := false
		h := newHandler(t, config(Plain), func(ctx context.Context, _ *Message) (Reply, error) {
			time.Sleep(2 * time.Second)
			finished = ctx.Err() == nil
			return Reply{}, nil
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		serve(h, plainRequest(textBody("oA", "桃", 1), noon).WithContext(ctx))
		if took := time.Since(start); took != time.Second {
			t.Errorf("held the connection %v", took)
		}
		if err := h.Wait(t.Context()); err != nil || !finished {
			t.Error("the message died with its connection")
		}
	})
}
