package main

import (
	"context"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/emulator"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

// TestCarrierLineLosesNothing: brokers text over a carrier line while its connections are cut and the service is killed. Every text in
// has one effect, every answer is accounted for, none is sent twice.
func TestCarrierLineLosesNothing(t *testing.T) {
	t.Parallel()
	carrierDrill(t, 400, 12, 2)
}

// BenchmarkCarrierDrill is the same in full (b.N is not used); its figures are in docs/performance.md.
func BenchmarkCarrierDrill(b *testing.B) {
	began := time.Now()
	got := carrierDrill(b, 50_000, 200, 3)
	b.ReportMetric(time.Since(began).Seconds(), "s")
	b.ReportMetric(float64(got.delivered), "delivered")
	b.ReportMetric(float64(got.unknown), "unknown")
	b.ReportMetric(float64(got.unknownArrived), "unknown-but-arrived")
	b.ReportMetric(float64(got.repeated), "arrived-twice")
}

// account is what became of the answers.
type account struct{ delivered, unknown, unknownArrived, repeated int }

// carrierPeople is how many phones write: as long as each writes once, no two texts to one are in doubt.
const carrierPeople = 800

// endLeases brings the end of leases about that a killed service left behind: nothing that lives takes ten seconds for a call.
func endLeases(ctx context.Context, t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	if _, err := pool.Exec(ctx, `UPDATE call SET lease_until = now() - interval '1 minute' WHERE closed_at IS NULL AND lease_until < now() + interval '110 seconds'`); err != nil {
		t.Fatal(err)
	}
}

const drillTail = ",树上现摘,个头大又甜,可以看样,也可以开车来拉,路好走,大车进得来,有意的老板请给我回信,好货不等人"

func carrierDrill(t testing.TB, texts, cuts, kills int) account {
	url := pgtest.URL(t)
	gateway, err := emulator.NewCMPP(emulator.CMPPOptions{
		SPID: "900001", Secret: "888888", Number: "10690001", Latency: 40 * time.Millisecond, ReportDelay: 50 * time.Millisecond, ReportCopies: 1,
		RepeatAfter: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gateway.Serve(l)
	t.Cleanup(gateway.Close)
	p := startProcess(t, "NONGXUN_DATABASE_URL="+url, "NONGXUN_CMPP_ADDR="+l.Addr().String(), "NONGXUN_CMPP_SP_ID=900001", "NONGXUN_CMPP_SECRET=888888",
		"NONGXUN_CMPP_SRC_ID=10690001", "NONGXUN_CMPP_VERSION=3.0", "NONGXUN_CMPP_CONNECTIONS=4", "NONGXUN_CMPP_RATE=10000")

	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Minute)
	defer cancel()
	pool, err := pg.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()

	var answered atomic.Int64
	var trouble sync.WaitGroup
	trouble.Go(func() { disturb(ctx, gateway, p, &answered, texts, cuts, kills) })
	textIn(ctx, t, gateway, &answered, texts)
	trouble.Wait()
	return settleUp(ctx, t, pool, gateway, texts)
}

// textIn sends all texts in, some of them long, a few hundred at a time, and waits until the service has answered for each.
func textIn(ctx context.Context, t testing.TB, gateway *emulator.CMPP, answered *atomic.Int64, texts int) {
	const together = 300
	open := make(chan struct{}, together)
	var waiting sync.WaitGroup
	for i := range texts {
		text := fmt.Sprintf("黄桃%d斤,3块5一斤,炎陵县中村乡", 1000+i)
		if i%10 == 0 {
			text += drillTail
		}
		open <- struct{}{}
		parts := gateway.Post(fmt.Sprintf("1390000%04d", i%carrierPeople), "", text)
		waiting.Go(func() {
			defer func() { <-open }()
			for _, part := range parts {
				select {
				case <-part:
				case <-ctx.Done():
					t.Errorf("text %d was never answered", i)
					return
				}
			}
			answered.Add(1)
		})
	}
	waiting.Wait()
}

// disturb spreads cuts and kills evenly over the texts.
func disturb(ctx context.Context, gateway *emulator.CMPP, p *process, answered *atomic.Int64, texts, cuts, kills int) {
	cut, killed := 0, 0
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for cut < cuts || killed < kills {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := int(answered.Load())
		if killed < kills && n >= (killed+1)*texts/(kills+1) {
			p.kill()
			p.start()
			killed++
		}
		if cut < cuts && n >= cut*texts/(cuts+1) && gateway.Cut() {
			cut++
		}
	}
}

// settleUp waits until all is quiet and compares what the service believes with what the phones got.
func settleUp(ctx context.Context, t testing.TB, pool *pgxpool.Pool, gateway *emulator.CMPP, texts int) (got account) {
	one := func(sql string) (n int) {
		if err := pool.QueryRow(ctx, sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	await(ctx, t, "every text is handled", func() bool {
		return one(`SELECT count(*) FROM message WHERE state = 'received'`) == 0 && one(`SELECT count(*) FROM message`) >= texts
	})
	// What a killed service was sending is in doubt once its lease is over: not waited for here, but brought about.
	await(ctx, t, "every answer has gone its way", func() bool {
		if one(`SELECT count(*) FROM delivery WHERE state = 'queued'`) > 0 {
			return false
		}
		endLeases(ctx, t, pool)
		return one(`SELECT count(*) FROM delivery WHERE state = 'sending'`) == 0
	})
	arrived := gateway.Texts()
	await(ctx, t, "every report is taken", func() bool {
		return gateway.Waiting() == 0 && one(`SELECT count(*) FROM delivery WHERE state = 'sent'`) == 0
	})
	// A report whose text's answer was lost finds it by phone and minute, where that phone has no other text in doubt.
	await(ctx, t, "reports of lost answers find their texts", func() bool {
		return texts > carrierPeople || one(`SELECT count(*) FROM delivery WHERE state = 'delivered'`) == len(arrived)
	})
	for sql, want := range map[string]int{
		`SELECT count(*) FROM message`:                                           texts,
		`SELECT count(*) FROM message WHERE state = 'answered' AND answer <> ''`: texts,
		`SELECT count(*) FROM message WHERE missing > 0`:                         0,
		`SELECT count(*) FROM listing`:                                           texts,
		`SELECT count(DISTINCT message_id) FROM listing`:                         texts,
		`SELECT count(*) FROM delivery`:                                          texts,
		`SELECT count(*) FROM text_part WHERE joined_at IS NULL`:                 0,
	} {
		if n := one(sql); n != want {
			t.Errorf("%s = %d, want %d", sql, n, want)
		}
	}
	if n := gateway.Violations(); n > 0 {
		t.Errorf("the window was overrun %d times", n)
	}
	rows, err := pool.Query(ctx, `SELECT d.state, d.reason, d.again <> '', a.address || ' ' || d.text FROM delivery d LEFT JOIN attempt a ON a.delivery_id = d.id AND a.try = d.tries`)
	if err != nil {
		t.Fatal(err)
	}
	var state, reason, text string
	var again bool
	_, err = pgx.ForEachRow(rows, []any{&state, &reason, &again, &text}, func() error {
		n := arrived[text]
		delete(arrived, text)
		switch {
		case n == 2 && again && texts > carrierPeople: // a reply of which nobody could tell goes once more after three minutes
			got.repeated++
			n = 1
		case n > 1:
			t.Errorf("arrived %d times: %s", n, text)
		}
		switch state {
		case "delivered":
			got.delivered++
			if n != 1 {
				t.Errorf("delivered, and yet it arrived %d times: %s", n, text)
			}
		case "unknown":
			got.unknown++
			got.unknownArrived += n
		default:
			t.Errorf("%s %s, arrived %d times: %s", state, reason, n, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, n := range arrived {
		t.Errorf("arrived %d times, and nobody sent it: %s", n, text)
	}
	t.Logf("%d texts in; %d answers delivered, %d unknown (of which %d arrived); %d went once more by the policy for replies and arrived twice",
		texts, got.delivered, got.unknown, got.unknownArrived, got.repeated)
	return got
}

func await(ctx context.Context, t testing.TB, what string, ok func() bool) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Minute)
	for !ok() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("waited in vain: %s", what)
		case <-ctx.Done():
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
