package market_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func putNews(t *testing.T, db *pgxpool.Pool, since, until time.Time) (n int) {
	t.Helper()
	lex := new(lexicon.Lexicon).With(nil, []lexicon.Region{{Code: "430102", Name: "芙蓉区"}})
	err := pg.InTx(t.Context(), db, func(tx pgx.Tx) (err error) {
		n, err = market.PutDemandNews(t.Context(), tx, lex, since, until)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestDemandNews(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	person := func(name, county string, subs ...people.Subscription) int64 {
		t.Helper()
		id := contact(t, db, people.OpenID, name)
		do(t, db, func(b *pgx.Batch) {
			people.QueueProfile(b, id, people.Profile{Name: name, County: county})
			people.QueueSubscribe(b, id, subs, "wechat", noon)
		})
		return id
	}
	demands := func(product, region string) people.Subscription {
		return people.Subscription{Topic: people.TopicDemand, Product: product, Region: region}
	}
	buyer := person("buyer", "430102", demands("黄桃", ""))
	person("of the product", "430225", demands("黄桃", ""))
	person("of the county", "430225", demands("黄桃", "430225"), demands("", ""))
	person("of the province", "", demands("黄桃", "430000"))
	person("of another prefecture", "431102", demands("黄桃", "431100"))
	person("of the variety", "430225", demands("锦绣黄桃", ""))
	person("of another product", "430225", demands("冬笋", ""))
	person("of prices", "430225", people.Subscription{Topic: people.TopicPrice, Product: "黄桃"})

	from := func(code string) reading.Lot {
		return reading.Lot{Product: "黄桃", Variety: ptr("锦绣黄桃"), Origin: &reading.Place{Text: "炎陵", County: ptr("炎陵县"), Code: &code}}
	}
	at := func(minutes int) time.Time { return noon.Add(time.Duration(minutes) * time.Minute) }
	do(t, db, func(b *pgx.Batch) {
		market.QueueAdd(b, buyer, 1, "wechat", reading.Demand, []reading.Lot{from("430225")}, "", false, "430102", at(1))
		market.QueueAdd(b, buyer, 2, "wechat", reading.Demand, []reading.Lot{{Product: "黄桃"}}, "", false, "430102", at(2))
		market.QueueAdd(b, buyer, 3, "wechat", reading.Supply, []reading.Lot{{Product: "黄桃"}}, "", false, "430102", at(2))
		market.QueueAdd(b, buyer, 4, "wechat", reading.Demand, []reading.Lot{{Product: "黄桃"}}, "", false, "430102", at(0))
		market.QueueAdd(b, buyer, 5, "wechat", reading.Demand, []reading.Lot{{Product: "黄桃"}}, "", false, "430102", at(3))
		market.QueueAdd(b, buyer, 6, "wechat", reading.Demand, []reading.Lot{{Product: "冬笋"}}, "", false, "430102", at(2))
		b.Queue(`UPDATE listing SET status = 'withdrawn' WHERE message_id = 6`)
	})
	if n := putNews(t, db, at(1), at(3)); n != 8 {
		t.Errorf("%d put, want 8", n)
	}
	for message, want := range map[int][]string{
		1: {"of the county", "of the product", "of the province", "of the variety"},
		2: {"of another prefecture", "of the county", "of the product", "of the province"},
		3: nil, 4: nil, 5: nil, 6: nil,
	} {
		rows, err := db.Query(t.Context(), `SELECT c.name FROM delivery d JOIN contact c ON c.id = d.contact_id
JOIN listing l ON d.cause = 'demand:' || l.id WHERE l.message_id = $1 ORDER BY c.name`, message)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); len(want)+len(got) > 0 && diff != "" {
			t.Errorf("message %d (-want +got):\n%s", message, diff)
		}
	}
	if n := putNews(t, db, at(1), at(4)); n != 4 {
		t.Errorf("%d put for a span that overlaps, want the 4 of the demand that is new", n)
	}
	var text string
	if err := db.QueryRow(t.Context(), `SELECT d.text FROM delivery d JOIN listing l ON d.cause = 'demand:' || l.id WHERE l.message_id = 1 LIMIT 1`).Scan(&text); err != nil {
		t.Fatal(err)
	}
	if want := "有人收锦绣黄桃,要炎陵县的,买家在芙蓉区。您有货就直接回复有多少,多少钱。不收回退订"; text != want {
		t.Errorf("text %q, want %q", text, want)
	}
}

// A broker hears of a demand by text at noon, binds the phone to WeChat in the afternoon, and must not hear of it again in the evening.
func TestDemandNewsOnceThoughThePhoneWasBound(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	buyer, phone, wechat := contact(t, db, people.OpenID, "buyer"), contact(t, db, people.Phone, "13800138000"), contact(t, db, people.OpenID, "oBroker")
	do(t, db, func(b *pgx.Batch) {
		people.QueueSubscribe(b, phone, []people.Subscription{{Topic: people.TopicDemand, Product: "黄桃"}}, "sms", noon)
		market.QueueAdd(b, buyer, 1, "wechat", reading.Demand, []reading.Lot{{Product: "黄桃"}}, "", false, "430102", noon)
	})
	if n := putNews(t, db, noon.Add(-time.Hour), noon.Add(time.Minute)); n != 1 {
		t.Fatalf("%d put, want 1", n)
	}
	do(t, db, func(b *pgx.Batch) { b.Queue(`UPDATE delivery SET state = 'sent'`) })
	o := people.Offer{Phone: "13800138000", From: phone, Into: wechat}
	if err := db.QueryRow(t.Context(), `INSERT INTO bind_code (contact_id, phone, way, code, told_at, expires_at) VALUES ($1, $2, 'text', '123456', $3, $3) RETURNING id`, wechat, o.Phone, noon).Scan(&o.CodeID); err != nil {
		t.Fatal(err)
	}
	do(t, db, func(b *pgx.Batch) {
		people.QueueBind(b, o, "sms", noon)
		market.QueueMerge(b, o.From, o.Into)
		outbox.QueueMerge(b, o.From, o.Into)
	})
	if n := putNews(t, db, noon.Add(-time.Hour), noon.Add(6*time.Hour)); n != 0 {
		t.Errorf("%d put in the evening to who was told at noon", n)
	}
}
