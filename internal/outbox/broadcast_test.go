package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"
)

func (f *fixture) audience(people ...int64) Audience {
	slices.Sort(people)
	return func(_ context.Context, after int64, limit int) ([]int64, error) {
		i, _ := slices.BinarySearch(people, after+1)
		return people[i:min(len(people), i+limit)], nil
	}
}

// Plan says what sending then does.
func TestPlanSaysWhatSendingDoes(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	f.WeeklyCap = map[Class]int{Promotion: 1}
	credit, follower, broker, gone, out, capped, nobody := f.person("oCredit", "13800138000"), f.person("oFollower", ""), f.person("", "13800138001"),
		f.person("oGone", "13800138002"), f.person("oOut", "13800138003"), f.person("", "13800138004"), f.person("oNobody", "")
	f.touch("oCredit", TouchMessage)
	f.consent("oFollower", "SUB1", true)
	f.exec(`UPDATE address SET followed = false WHERE value IN ('oGone', 'oNobody')`)
	f.exec(`UPDATE contact SET opted_out_at = now() WHERE id = $1`, out)
	f.exec(`INSERT INTO push_block SELECT $2, $1::bigint / 64, set_byte(decode(repeat('00', 64), 'hex'), ($1::bigint % 64)::int, 1)`, capped, monday(f.now()))
	b := Broadcast{Key: "b", Class: Promotion, Text: "对接会12月1日开始报名,回复报名参加。拒收请回复R", Template: "fair"}
	all := f.audience(credit, follower, broker, gone, out, capped, nobody)
	p, err := f.Plan(t.Context(), b, all)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Plan{
		People: 7, ByRoad: map[string]int64{"message": 1, "notice": 1, "sms": 2}, Held: map[Reason]int64{},
		Skipped: map[Reason]int64{OptedOut: 1, WeeklyCap: 1, Unfollowed: 1}, Parts: 1, CostFen: 9,
		Text: "【炎陵县商务局】对接会12月1日开始报名,回复报名参加。拒收请回复R",
	}, p); diff != "" {
		t.Error(diff)
	}
	if n, err := f.Freeze(t.Context(), b, all); err != nil || n != 7 {
		t.Fatal(n, err)
	}
	f.work()
	got := map[string]int64{}
	rows, err := f.Pool.Query(t.Context(), `SELECT CASE WHEN d.state = 'sent' THEN a.road ELSE d.reason END, count(*) FROM delivery d
LEFT JOIN attempt a ON a.delivery_id = d.id AND a.try = d.tries GROUP BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var what string
		var n int64
		if err := rows.Scan(&what, &n); err != nil {
			t.Fatal(err)
		}
		got[what] = n
	}
	if diff := cmp.Diff(map[string]int64{"message": 1, "notice": 1, "sms": 2, "opted_out": 1, "weekly_cap": 1, "unfollowed": 1}, got); diff != "" {
		t.Error(diff)
	}
}

// At night a plan says that what it counts waits for the morning.
func TestPlanAtNight(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("", "13800138000")
	p, err := f.Plan(t.Context(), Broadcast{Key: "b", Class: Promotion, Text: "x", NotBefore: f.now().Add(10 * time.Hour)}, f.audience(who))
	if err != nil || p.ByRoad["sms"] != 1 || p.Held[QuietHours] != 1 {
		t.Error(p, err)
	}
	p, err = f.Plan(t.Context(), Broadcast{
		Key: "b", Class: Promotion, Text: "x", NotBefore: f.now().Add(10 * time.Hour), ExpiresAt: f.now().Add(12 * time.Hour),
	}, f.audience(who))
	if err != nil || p.Skipped[Expired] != 1 {
		t.Error(p, err)
	}
}

// A freeze that was cut off, in the middle of a round or between, goes on where it was; at the end each person has one delivery.
func TestFreezeGoesOn(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	const n, piece = 3*500 + 17, 500
	f.exec(`INSERT INTO contact (created_at, phone) SELECT now(), '' FROM generate_series(1, $1)`, n)
	b := Broadcast{Key: "b", Class: Promotion, Text: "x"}
	for i, point := range []string{"freeze:frozen", "freeze:end", "freeze:begin", ""} {
		o := New(f.Options)
		o.piece = piece
		ctx, cancel := context.WithCancel(t.Context())
		passed := 0
		o.reach = func(p string) {
			if p == point {
				if passed++; passed == 1+i%2 {
					cancel()
				}
			}
		}
		people, err := o.Freeze(ctx, b, everybody(f.Pool))
		cancel()
		if point == "" && (err != nil || people != n) {
			t.Fatal(people, err)
		}
	}
	var rows, people int
	if err := f.Pool.QueryRow(t.Context(), `SELECT count(*), count(DISTINCT contact_id) FROM delivery`).Scan(&rows, &people); err != nil || rows != n || people != n {
		t.Errorf("%d deliveries to %d people, %v; want %d", rows, people, err, n)
	}
	if again, err := f.Freeze(t.Context(), b, func(context.Context, int64, int) ([]int64, error) { return nil, errors.New("asked again") }); err != nil || again != n {
		t.Error(again, err)
	}
	if _, err := f.Freeze(t.Context(), Broadcast{Key: "b", Class: Promotion, Text: "something else"}, everybody(f.Pool)); !errors.Is(err, ErrOtherBroadcast) {
		t.Error(err)
	}
	if _, err := f.Freeze(t.Context(), Broadcast{Key: "c", Class: Promotion, Text: "x"}, func(context.Context, int64, int) ([]int64, error) { return []int64{2, 1}, nil }); err == nil {
		t.Error("an audience in disorder was frozen")
	}
}

// A broadcast waits in its line, and a reply that comes then is the next to go.
func TestAReplyPassesABroadcast(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	const n, claim = 1000, callsAtOnce * 100
	f.exec(`INSERT INTO contact (created_at, phone) SELECT now(), '138' || lpad(i::text, 8, '0') FROM generate_series(1, $1) i`, n)
	if _, err := f.Freeze(t.Context(), Broadcast{Key: "b", Class: Promotion, Text: "push"}, everybody(f.Pool)); err != nil {
		t.Fatal(err)
	}
	dispatch := func(c Class) {
		if _, err := f.dispatch(t.Context(), f.lanes()[lineSMS], c); err != nil {
			t.Fatal(err)
		}
	}
	dispatch(Promotion)
	f.put(Delivery{Cause: "reply", Channel: SMS, ContactID: 900, Text: "reply"})
	dispatch(Reply) // the sender that serves replies alone
	if got := f.carrier.got(); len(got) != claim+1 || got[claim].Text != "reply" {
		t.Errorf("%d sent, last %q", len(got), got[len(got)-1].Text)
	}
}

func TestOperatorStopsRetriesReleases(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	if err := StopChannel(t.Context(), f.Pool, "fax", f.now()); err == nil {
		t.Error("an unknown channel was stopped")
	}
	for _, name := range []string{"sms/promotion", "sms"} {
		if err := StopChannel(t.Context(), f.Pool, name, f.now()); err != nil {
			t.Fatal(err)
		}
	}
	f.put(Delivery{Cause: "p", Class: Promotion, ContactID: f.person("", "13800138001"), Text: "x"},
		Delivery{Cause: "n", Class: Notice, ContactID: f.person("", "13800138002"), Text: "x"})
	f.work()
	f.want("n", "queued")
	release := func(name string) {
		t.Helper()
		if was, err := Release(t.Context(), f.Pool, name, f.now()); err != nil || !was {
			t.Fatal(was, err)
		}
		f.work()
	}
	release("sms")
	f.want("n", "sent")
	f.want("p", "queued template_stopped")
	release("sms/promotion")
	f.want("p", "sent")

	f.put(Delivery{Cause: "bad", ContactID: f.person("", "13800138003"), Text: "x", Broadcast: "b1"})
	f.exec(`UPDATE delivery SET state = 'failed', reason = 'refused' WHERE cause = 'bad'`)
	if n, err := RetryFailed(t.Context(), f.Pool, f.now().Add(-time.Hour), "b2", f.now()); err != nil || n != 0 {
		t.Error(n, err)
	}
	if n, err := RetryFailed(t.Context(), f.Pool, f.now().Add(-time.Hour), "b1", f.now()); err != nil || n != 1 {
		t.Error(n, err)
	}
	f.work()
	f.want("bad", "sent")
	if n := len(f.carrier.got()); n != 3 {
		t.Errorf("%d texts, want 3: what was sent stays sent", n)
	}
	s, err := ReadStatus(t.Context(), f.Pool, f.now().Add(-time.Hour))
	if err != nil || len(s.Waiting) != 0 || len(s.Stops) != 0 || len(s.Recent) != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

// More freezes at once than the pool has connections.
func TestManyFreezesAtOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	who := f.person("", "13800138000")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var g errgroup.Group
	for i := range int(f.Pool.Config().MaxConns) + 2 {
		g.Go(func() error {
			_, err := f.Freeze(ctx, Broadcast{Key: fmt.Sprint("b", i), Class: Promotion, Text: "x"}, f.audience(who))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
}
