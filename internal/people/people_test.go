package people_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, people.Migrations) }

var at = time.Date(2026, 11, 24, 1, 0, 0, 0, time.UTC)

func create(t *testing.T, pool *pgxpool.Pool, kind, value string) people.Contact {
	t.Helper()
	var c people.Contact
	err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) (err error) {
		c, err = people.Create(t.Context(), tx, kind, value, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func send(t *testing.T, pool *pgxpool.Pool, queue func(*pgx.Batch)) {
	t.Helper()
	var b pgx.Batch
	queue(&b)
	err := pg.InTx(t.Context(), pool, func(tx pgx.Tx) error { return tx.SendBatch(t.Context(), &b).Close() })
	if err != nil {
		t.Fatal(err)
	}
}

func find(t *testing.T, pool *pgxpool.Pool, kind, value string) people.Contact {
	t.Helper()
	c := people.Contact{Kind: kind, Value: value}
	send(t, pool, func(b *pgx.Batch) { people.QueueLock(b, &c) })
	return c
}

func TestAContactIsMadeOnceHoweverManyArriveAtOnce(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	var group errgroup.Group
	ids := make([]int64, 12)
	for i := range ids {
		group.Go(func() error {
			return pg.InTx(context.Background(), pool, func(tx pgx.Tx) error {
				c, err := people.Create(context.Background(), tx, people.OpenID, "oSame", at)
				ids[i] = c.ID
				return err
			})
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if id != ids[0] || id == 0 {
			t.Fatalf("contacts %v, want one", ids)
		}
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM contact`).Scan(&n); err != nil || n != 1 {
		t.Errorf("%d contacts are left (%v), want 1", n, err)
	}
}

func TestProfileKeepsWhatIsNotSaidAgain(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	c := create(t, pool, people.Phone, "13800005678")
	if c.Phone != "13800005678" {
		t.Errorf("phone %q: who texts has that phone", c.Phone)
	}
	send(t, pool, func(b *pgx.Batch) {
		people.QueueProfile(b, c.ID, people.Profile{Name: "李建国", MerchantType: "broker", County: "430225", Products: []string{"黄桃"}})
		people.QueueProfile(b, c.ID, people.Profile{County: "430224"})
	})
	got := find(t, pool, people.Phone, "13800005678")
	want := people.Contact{
		ID: c.ID, Kind: people.Phone, Value: "13800005678", Followed: true, Name: "李建国", MerchantType: "broker", County: "430224",
		Phone: "13800005678", Products: []string{"黄桃"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if unknown := find(t, pool, people.Phone, "13900000000"); unknown.ID != 0 {
		t.Errorf("an unknown address has contact %d", unknown.ID)
	}
}

func TestOptOutIsProvedOnceAndEndsWithANewSubscription(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	c := create(t, pool, people.OpenID, "oA")
	send(t, pool, func(b *pgx.Batch) { people.QueueOptOut(b, c.ID, "wechat", at) })
	send(t, pool, func(b *pgx.Batch) { people.QueueOptOut(b, c.ID, "sms", at.Add(time.Hour)) })
	if got := find(t, pool, people.OpenID, "oA"); got.OptedOutAt == nil || !got.OptedOutAt.Equal(at) {
		t.Errorf("opted out at %v, want %v", got.OptedOutAt, at)
	}
	subs := []people.Subscription{{Topic: people.TopicPrice, Product: "黄桃"}}
	send(t, pool, func(b *pgx.Batch) { people.QueueSubscribe(b, c.ID, subs, "wechat", at.Add(2*time.Hour)) })
	send(t, pool, func(b *pgx.Batch) { people.QueueSubscribe(b, c.ID, subs, "wechat", at.Add(3*time.Hour)) })
	if got := find(t, pool, people.OpenID, "oA"); got.OptedOutAt != nil {
		t.Error("a new subscription did not end the opt-out")
	}
	rows, err := pool.Query(t.Context(), `SELECT what FROM consent_log ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	log, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if diff := cmp.Diff([]string{"opt_out", "subscribe", "opt_in", "subscribe"}, log); err != nil || diff != "" {
		t.Error(err, diff)
	}
	got, err := people.Subscriptions(t.Context(), pool, c.ID)
	if err != nil || len(got) != 1 {
		t.Errorf("%d subscriptions (%v), want 1", len(got), err)
	}
}

func TestSubscribersByProductAndPlace(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	sub := func(name, product, region string) int64 {
		c := create(t, pool, people.OpenID, name)
		send(t, pool, func(b *pgx.Batch) {
			people.QueueSubscribe(b, c.ID, []people.Subscription{{Topic: people.TopicDemand, Product: product, Region: region}}, "wechat", at)
		})
		return c.ID
	}
	all := sub("oAll", "", "")
	peach := sub("oPeach", "黄桃", "")
	county := sub("oCounty", "黄桃", "430225")
	prefecture := sub("oPrefecture", "黄桃", "430200")
	shanghai := sub("oShanghai", "黄桃", "310110") // a county code that ends in one 0
	for _, tt := range []struct {
		product, place string
		want           []int64
	}{
		{"黄桃", "430225", []int64{all, peach, county, prefecture}},
		{"黄桃", "430224", []int64{all, peach, prefecture}},
		{"黄桃", "430000", []int64{all, peach, county, prefecture}},
		{"黄桃", "310110", []int64{all, peach, shanghai}},
		{"黄桃", "310112", []int64{all, peach}},
		{"黄桃", "", []int64{all, peach, county, prefecture, shanghai}},
		{"生猪", "430225", []int64{all}},
	} {
		got, err := people.Subscribers(t.Context(), pool, people.TopicDemand, tt.product, tt.place)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s %s: %v %s", tt.product, tt.place, err, diff)
		}
	}
	send(t, pool, func(b *pgx.Batch) {
		people.QueueUnsubscribe(b, prefecture, []people.Subscription{{Topic: people.TopicDemand, Product: "黄桃"}}, "wechat", at)
	})
	if got, _ := people.Subscriptions(t.Context(), pool, prefecture); len(got) != 0 {
		t.Errorf("still subscribed: %v", got)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"13812345678": "138****5678", "oABCdefghijklmnopqrstuvwxyz1": "oABC****xyz1", "0731123": "*******", "": "",
	} {
		if got := people.Mask(in); got != want {
			t.Errorf("Mask(%q) = %q, want %q", in, got, want)
		}
	}
}
