package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/pg"
)

// BenchmarkReceiptSpike sends the real service what the platform says after 100,000 template messages: a TEMPLATESENDJOBFINISH for each, encrypted,
// one in ten twice, some of them failures, evenly over NONGXUN_SPIKE_SECONDS (60; the platform takes five minutes). It reports how long an
// answer took from the moment at which its callback was due, how long after the last one all were given effect, the service's highest
// memory, and fails unless each delivery ends in its right state. Run it with -benchtime 1x.
func BenchmarkReceiptSpike(b *testing.B) {
	const people = 100_000
	seconds := 60
	if n, err := strconv.Atoi(os.Getenv("NONGXUN_SPIKE_SECONDS")); err == nil {
		seconds = n
	}
	server := durableServer(b)
	pool, err := pg.Open(b.Context(), server.URL("bench"))
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if err = pg.Migrate(b.Context(), pool, schema()...); err != nil {
		b.Fatal(err)
	}
	sentByTemplate(b, pool, people)
	var calls []callback
	now := time.Now()
	for id := 1; id <= people; id++ {
		c := secureCallback(b, finishedXML(id, now), now)
		if calls = append(calls, c); id%10 == 0 {
			calls = append(calls, c)
		}
	}
	p := startProcess(b, "NONGXUN_DATABASE_URL="+server.URL("bench"), "NONGXUN_WECHAT_APP_ID="+testAppID, "NONGXUN_WECHAT_APP_SECRET=secret",
		"NONGXUN_WECHAT_TOKEN="+testToken, "NONGXUN_WECHAT_AES_KEY="+testAESKey, "NONGXUN_WECHAT_API_URL=http://127.0.0.1:1")
	b.ResetTimer()
	for range b.N {
		took, each := paced(b, p.base, calls, time.Duration(seconds)*time.Second)
		posted := time.Now()
		for open := 1; open > 0; time.Sleep(20 * time.Millisecond) {
			if err := pool.QueryRow(b.Context(), `SELECT count(*) FROM receipt WHERE settled_at IS NULL`).Scan(&open); err != nil {
				b.Fatal(err)
			}
		}
		slices.Sort(each)
		b.ReportMetric(float64(len(calls))/took.Seconds(), "callbacks/s")
		b.ReportMetric(float64(each[len(each)*99/100].Microseconds())/1000, "p99-ms")
		b.ReportMetric(float64(each[len(each)-1].Microseconds())/1000, "worst-ms")
		b.ReportMetric(time.Since(posted).Seconds(), "settled-after-s")
		b.ReportMetric(p.memory("VmHWM"), "peak-MB")
		b.ReportMetric(0, "ns/op")
	}
	for waiting := 1; waiting > 0; time.Sleep(20 * time.Millisecond) { // who did not get it is looked for by the next road
		if err := pool.QueryRow(b.Context(), `SELECT count(*) FROM delivery WHERE queue IS NOT NULL`).Scan(&waiting); err != nil {
			b.Fatal(err)
		}
	}
	checkSpike(b, pool, people)
}

// sentByTemplate makes people to whom a template message each was sent, with the platform's msgid 7,000,000,000 and the contact's id.
func sentByTemplate(b *testing.B, pool *pgxpool.Pool, people int) {
	b.Helper()
	for _, sql := range []string{
		`WITH made AS (INSERT INTO contact (created_at) SELECT now() FROM generate_series(1, $1::int) RETURNING id)
INSERT INTO address (kind, value, contact_id, created_at) SELECT 'openid', 'oPerson' || id, id, now() FROM made`,
		`INSERT INTO delivery (created_at, cause, contact_id, class, channel, text, template, due_at, rung, state, tries, sent_at)
SELECT now(), 'spike', id, 1, 'wechat', 'x', 'price', now(), 1, 'sent', 1, now() FROM contact WHERE id <= $1::int ORDER BY id`,
		`INSERT INTO call (lead, lead_try, road, template, ref, provider, provider_id, deliveries, started_at, lease_until, closed_at, outcome)
SELECT id, 1, 'template', 'price', 'r' || id, 'wechat', (7000000000 + contact_id)::text, ARRAY[id], now(), now(), now(), 'accepted' FROM delivery WHERE contact_id <= $1::int ORDER BY id`,
		`INSERT INTO attempt (delivery_id, try, road, address, lead, lead_try, started_at)
SELECT id, 1, 'template', 'oPerson' || contact_id, id, 1, now() FROM delivery WHERE contact_id <= $1::int ORDER BY id`,
	} {
		if _, err := pool.Exec(b.Context(), sql, people); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := pool.Exec(b.Context(), `VACUUM ANALYZE`); err != nil {
		b.Fatal(err)
	}
}

// finishedXML is what the platform says of a person's message: of one in twenty that they don't let us through, of one in fifty that it failed.
func finishedXML(id int, at time.Time) string {
	status := "success"
	switch {
	case id%20 == 0:
		status = "failed:user block"
	case id%50 == 1:
		status = "failed: system failed"
	}
	return fmt.Sprintf("<xml><ToUserName><![CDATA[gh_0]]></ToUserName><FromUserName><![CDATA[oPerson%d]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[TEMPLATESENDJOBFINISH]]></Event><MsgID>%d</MsgID><Status><![CDATA[%s]]></Status></xml>",
		id, at.Unix(), 7_000_000_000+id, status)
}

// paced posts calls evenly over a time. How long each took counts from when it was due, so that none hides behind a slow one before it.
func paced(b *testing.B, base string, calls []callback, over time.Duration) (time.Duration, []time.Duration) {
	b.Helper()
	began := time.Now()
	return post(b, base, calls, func(i int) time.Time {
		due := began.Add(over * time.Duration(i) / time.Duration(len(calls)))
		time.Sleep(time.Until(due))
		return due
	})
}

// checkSpike asks for the state of each delivery. Those that failed have no next road: nobody here has a phone.
func checkSpike(b *testing.B, pool *pgxpool.Pool, people int) {
	b.Helper()
	var wrong, receipts, told, messages int
	if err := pool.QueryRow(b.Context(), `SELECT
	(SELECT count(*) FROM delivery WHERE trim(state || ' ' || reason) <> CASE
		WHEN contact_id % 20 = 0 THEN 'skipped blocked' WHEN contact_id % 50 = 1 THEN 'skipped not_delivered' ELSE 'delivered' END),
	(SELECT count(*) FROM receipt), (SELECT count(receipt_at) FROM attempt), (SELECT count(*) FROM message)`).Scan(&wrong, &receipts, &told, &messages); err != nil {
		b.Fatal(err)
	}
	if wrong > 0 || receipts != people || told != people || messages != 0 {
		b.Errorf("%d deliveries are in a wrong state; %d receipts, %d attempts told of, %d messages; want %d, %d, 0", wrong, receipts, told, messages, people, people)
	}
}
