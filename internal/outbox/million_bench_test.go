package outbox

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/sms/aliyun"
)

// BenchmarkMillion plans, freezes and drains a broadcast to 1,000,000 people by SMS in a process of its own, with neither emulator nor
// database in it, and reports the highest memory that it had resident in each phase. Run it with -benchtime 1x -timeout 30m.
func BenchmarkMillion(b *testing.B) {
	const people = 1_000_000
	s := newDurableServer(b)
	pool := s.open()
	defer pool.Close()
	crowd(b, pool, people)
	for _, sql := range []string{`UPDATE contact SET phone = '13' || lpad(id::text, 9, '0')`, `VACUUM ANALYZE contact`} {
		if _, err := pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	p := newProvider(b, bare, emulator.AliyunOptions{ReportDelay: time.Hour})
	for b.Loop() {
		order, err := json.Marshal(drillOrder{Database: s.url(), Provider: p.url})
		if err != nil {
			b.Fatal(err)
		}
		cmd := exec.Command(os.Args[0])
		cmd.Env, cmd.Stderr = append(os.Environ(), millionEnv+"="+string(order)), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			b.Fatal(err)
		}
		var phases []phase
		if err := json.Unmarshal(out, &phases); err != nil {
			b.Fatal(err, string(out))
		}
		for _, f := range phases {
			b.ReportMetric(f.Seconds, f.Name+"-s")
			b.ReportMetric(f.PeakMB, f.Name+"-peak-MB")
			if f.People != people {
				b.Errorf("%s: %d people", f.Name, f.People)
			}
		}
		b.ReportMetric(0, "ns/op")
	}
	var sent int
	if err := pool.QueryRow(b.Context(), `SELECT count(*) FROM delivery WHERE state = 'sent'`).Scan(&sent); err != nil || sent != people {
		b.Fatalf("%d sent, want %d (%v)", sent, people, err)
	}
}

const millionEnv = "NONGXUN_TEST_MILLION"

// phase is what the process tells of one of its tasks.
type phase struct {
	Name            string
	People          int64
	Seconds, PeakMB float64
}

// million is the other process.
func million(order drillOrder) ([]phase, error) {
	ctx := context.Background()
	pool, err := pg.Open(ctx, order.Database)
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	gateway, err := aliyun.New(aliyun.Config{
		AccessKeyID: "id", AccessKeySecret: "secret", SignName: "炎陵县商务局", Endpoint: order.Provider,
		Templates: map[string]string{"reply": "SMS_1", "notice": "SMS_1", "promotion": "SMS_1"},
	})
	if err != nil {
		return nil, err
	}
	defer gateway.Close()
	o := New(Options{Pool: pool, SMS: gateway, Sign: "炎陵县商务局", Hours: wideAwake(), Log: slog.New(slog.DiscardHandler)})
	br := Broadcast{Key: "million", Class: Promotion, Channel: SMS, Text: newsText}
	var phases []phase
	do := func(name string, task func() (int64, error)) error {
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the highest so far is forgotten
			return err
		}
		begin := time.Now()
		n, err := task()
		phases = append(phases, phase{name, n, time.Since(begin).Seconds(), peakMemory()})
		return err
	}
	err = do("plan", func() (int64, error) {
		plan, err := o.Plan(ctx, br, everybody(pool))
		return plan.People, err
	})
	if err == nil {
		err = do("freeze", func() (int64, error) { return o.Freeze(ctx, br, everybody(pool)) })
	}
	if err == nil {
		err = do("drain", func() (n int64, err error) {
			running, stop := context.WithCancel(ctx)
			var g errgroup.Group
			g.Go(func() error { return o.Run(running) })
			for left := true; left && err == nil; time.Sleep(time.Second) {
				err = pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM call WHERE closed_at IS NULL) OR EXISTS (SELECT FROM delivery WHERE queue IS NOT NULL)`).Scan(&left)
			}
			stop()
			if err == nil {
				err = g.Wait()
			}
			if err == nil {
				err = pool.QueryRow(ctx, `SELECT count(*) FROM delivery WHERE state = 'sent'`).Scan(&n)
			}
			return n, err
		})
	}
	return phases, err
}
