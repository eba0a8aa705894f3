package market_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, people.Migrations, market.Migrations, outbox.Migrations) }

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

func contact(t testing.TB, db *pgxpool.Pool, kind, value string) int64 {
	t.Helper()
	var id int64
	err := pg.InTx(t.Context(), db, func(tx pgx.Tx) error {
		c, err := people.Create(t.Context(), tx, kind, value, noon)
		id = c.ID
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// do runs what was queued in one transaction.
func do(t testing.TB, db *pgxpool.Pool, queue func(b *pgx.Batch)) {
	t.Helper()
	if err := try(t.Context(), db, queue); err != nil {
		t.Fatal(err)
	}
}

func try(ctx context.Context, db *pgxpool.Pool, queue func(b *pgx.Batch)) error {
	return pg.InTx(ctx, db, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		queue(b)
		return tx.SendBatch(ctx, b).Close()
	})
}

func recent(t testing.TB, db *pgxpool.Pool, contactID int64) []market.Listing {
	t.Helper()
	ls, err := market.Recent(t.Context(), db, contactID, 100)
	if err != nil {
		t.Fatal(err)
	}
	return ls
}

func lots(ls []market.Listing) []reading.Lot {
	out := make([]reading.Lot, len(ls))
	for i, l := range ls {
		out[i] = l.Lot
	}
	return out
}

func ptr[T any](v T) *T { return &v }

func exactly(m reading.Milli) reading.Range { return reading.Range{Min: &m, Max: &m} }

func peaches() reading.Lot {
	kg, perKg := exactly(2_500_000), exactly(7000)
	return reading.Lot{
		Product: "黄桃", Variety: ptr("锦绣黄桃"),
		Quantity:  &reading.Quantity{Range: exactly(5_000_000), Unit: "斤", Kg: &kg},
		Price:     &reading.Price{Range: exactly(3500), Unit: ptr("元/斤"), YuanPerKg: &perKg},
		Origin:    &reading.Place{Text: "炎陵中村", County: ptr("炎陵县"), Code: ptr("430225"), Township: "中村乡"},
		Available: &reading.Window{Text: "下个月中旬", From: ptr("2026-12-11"), To: ptr("2026-12-20")},
	}
}

func TestAddKeepsTheOrderAndTheRegion(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	me := contact(t, db, people.OpenID, "oAAA")
	bare := reading.Lot{Product: "冬笋"}
	do(t, db, func(b *pgx.Batch) {
		market.QueueAdd(b, me, 1, "wechat", reading.Demand, []reading.Lot{bare}, "", false, "", noon)
		market.QueueAdd(b, me, 2, "wechat", reading.Supply, []reading.Lot{peaches(), bare}, "13907310001", true, "430121", noon)
		market.QueueAdd(b, me, 3, "wechat", reading.Supply, nil, "", false, "430121", noon)
	})
	got := recent(t, db, me)
	if diff := cmp.Diff([]reading.Lot{peaches(), bare, bare}, lots(got)); diff != "" {
		t.Fatalf("lots (-want +got):\n%s", diff)
	}
	want := market.Listing{
		ID: got[0].ID, ContactID: me, MessageID: 2, Kind: reading.Supply, Status: market.Open, Lot: peaches(), Glut: true,
		Channel: "wechat", Phone: "13907310001", Region: "430225", CreatedAt: noon, UpdatedAt: noon,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("first listing (-want +got):\n%s", diff)
	}
	if got[1].Region != "430121" || got[2].Region != "" {
		t.Errorf("regions %q, %q; want the contact's county 430121, then none", got[1].Region, got[2].Region)
	}
}

func TestAMessageHasItsEffectOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	me := contact(t, db, people.OpenID, "oAAA")
	for range 3 {
		do(t, db, func(b *pgx.Batch) {
			market.QueueAdd(b, me, 7, "sms", reading.Supply, []reading.Lot{peaches(), {Product: "冬笋"}}, "", false, "", noon)
		})
	}
	if n := len(recent(t, db, me)); n != 2 {
		t.Errorf("%d listings, want 2", n)
	}
}

func TestEditCloseConfirm(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	me, other := contact(t, db, people.OpenID, "oAAA"), contact(t, db, people.Phone, "13907310001")
	do(t, db, func(b *pgx.Batch) {
		market.QueueAdd(b, me, 1, "wechat", reading.Supply, []reading.Lot{peaches()}, "", false, "", noon)
	})
	before := recent(t, db, me)[0]
	later := noon.Add(time.Minute)

	t.Run("not by another", func(t *testing.T) {
		do(t, db, func(b *pgx.Batch) {
			market.QueueEdit(b, other, before.ID, market.Edit{Price: &reading.Price{Negotiable: true}}, later)
			market.QueueClose(b, other, before.ID, true, later)
			market.QueueConfirm(b, other, before.ID, later)
		})
		if diff := cmp.Diff(before, recent(t, db, me)[0]); diff != "" {
			t.Errorf("another contact changed it (-want +got):\n%s", diff)
		}
	})
	t.Run("parts", func(t *testing.T) {
		want := before
		want.UpdatedAt, want.ConfirmedAt, want.Region = later, &later, "431281"
		want.Lot.Price = &reading.Price{Negotiable: true}
		want.Lot.Origin = &reading.Place{Text: "洪江", Code: ptr("431281")}
		do(t, db, func(b *pgx.Batch) {
			market.QueueEdit(b, me, before.ID, market.Edit{}, later.Add(time.Hour))
			market.QueueEdit(b, me, before.ID, market.Edit{Price: want.Lot.Price, Origin: want.Lot.Origin}, later)
			market.QueueConfirm(b, me, before.ID, later)
		})
		if diff := cmp.Diff(want, recent(t, db, me)[0]); diff != "" {
			t.Errorf("edited (-want +got):\n%s", diff)
		}
	})
	t.Run("a place without a code keeps the region", func(t *testing.T) {
		do(t, db, func(b *pgx.Batch) {
			market.QueueEdit(b, me, before.ID, market.Edit{Origin: &reading.Place{Text: "山里"}}, later)
		})
		if got := recent(t, db, me)[0].Region; got != "431281" {
			t.Errorf("region %q, want 431281", got)
		}
	})
	t.Run("closed for good", func(t *testing.T) {
		do(t, db, func(b *pgx.Batch) {
			market.QueueClose(b, me, before.ID, true, later)
			market.QueueClose(b, me, before.ID, false, later.Add(time.Hour))
			market.QueueEdit(b, me, before.ID, market.Edit{Quantity: &reading.Quantity{Unit: "吨"}}, later.Add(time.Hour))
		})
		if ls := recent(t, db, me); len(ls) != 0 {
			t.Fatalf("%d open listings, want none", len(ls))
		}
		got := all(t, db, market.Filter{})[0]
		if got.Status != market.Sold || !got.ClosedAt.Equal(later) || got.Lot.Quantity.Unit != "斤" {
			t.Errorf("status %s, closed %v, unit %s", got.Status, got.ClosedAt, got.Lot.Quantity.Unit)
		}
	})
}

func all(t testing.TB, db *pgxpool.Pool, f market.Filter) []market.Listing {
	t.Helper()
	var out []market.Listing
	if err := market.Each(t.Context(), db, f, func(l market.Listing) error { out = append(out, l); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEach(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	farmer, broker := contact(t, db, people.OpenID, "oAAA"), contact(t, db, people.Phone, "13907310001")
	do(t, db, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO address (kind, value, contact_id, created_at) VALUES ('phone', '13800000000', $1, $2)`, farmer, noon)
		for i, county := range []string{"430225", "431003", "431122", "", "440103"} {
			market.QueueAdd(b, farmer, int64(i+1), "wechat", reading.Supply, []reading.Lot{{Product: county}}, "", false, county, noon.Add(time.Duration(i)*time.Hour))
		}
		market.QueueAdd(b, broker, 6, "sms", reading.Demand, []reading.Lot{{Product: "broker"}}, "", false, "430225", noon.Add(5*time.Hour))
	})
	for name, c := range map[string]struct {
		filter market.Filter
		want   []string
	}{
		"everything, unknown places too": {market.Filter{}, []string{"430225", "431003", "431122", "", "440103", "broker"}},
		"province":                       {market.Filter{Region: "430000"}, []string{"430225", "431003", "431122", "broker"}},
		"prefecture whose code ends in 000 is not its neighbours": {market.Filter{Region: "431000"}, []string{"431003"}},
		"county":            {market.Filter{Region: "430225"}, []string{"430225", "broker"}},
		"beginning":         {market.Filter{Region: "4302"}, []string{"430225", "broker"}},
		"since, not before": {market.Filter{Since: noon.Add(time.Hour), Until: noon.Add(3 * time.Hour)}, []string{"431003", "431122"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, l := range all(t, db, c.filter) {
				got = append(got, l.Lot.Product)
				if want := map[int64]string{farmer: "oAAA", broker: "13907310001"}[l.ContactID]; l.Address != want {
					t.Errorf("address %q, want the one of the channel, %q", l.Address, want)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	stop := errors.New("stop")
	if err := market.Each(t.Context(), db, market.Filter{}, func(market.Listing) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want fn's own", err)
	}
}

// Texts as a message can hold them: any character but NUL, which inbox drops.
func texts() *rapid.Generator[string] {
	return rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool { return r != 0 }), 0, 12, -1)
}

func lotGen() *rapid.Generator[reading.Lot] {
	milli := rapid.Ptr(rapid.Custom(func(t *rapid.T) reading.Milli { return reading.Milli(rapid.Int64().Draw(t, "milli")) }), true)
	span := rapid.Custom(func(t *rapid.T) reading.Range {
		return reading.Range{Min: milli.Draw(t, "min"), Max: milli.Draw(t, "max")}
	})
	text := rapid.Ptr(texts(), true)
	date := rapid.Ptr(rapid.Custom(func(t *rapid.T) string {
		return noon.AddDate(0, 0, rapid.IntRange(-9000, 9000).Draw(t, "days")).Format(time.DateOnly)
	}), true)
	return rapid.Custom(func(t *rapid.T) reading.Lot {
		return reading.Lot{
			Product: texts().Draw(t, "product"), Variety: text.Draw(t, "variety"),
			Quantity: rapid.Ptr(rapid.Custom(func(t *rapid.T) reading.Quantity {
				return reading.Quantity{Range: span.Draw(t, "range"), Unit: texts().Draw(t, "unit"), Kg: rapid.Ptr(span, true).Draw(t, "kg"), Approx: rapid.Bool().Draw(t, "approx")}
			}), true).Draw(t, "quantity"),
			Price: rapid.Ptr(rapid.Custom(func(t *rapid.T) reading.Price {
				return reading.Price{Range: span.Draw(t, "range"), Unit: text.Draw(t, "unit"), YuanPerKg: rapid.Ptr(span, true).Draw(t, "kg"), Negotiable: rapid.Bool().Draw(t, "negotiable")}
			}), true).Draw(t, "price"),
			Origin: rapid.Ptr(rapid.Custom(func(t *rapid.T) reading.Place {
				return reading.Place{Text: texts().Draw(t, "text"), County: text.Draw(t, "county"), Code: text.Draw(t, "code"), Township: texts().Draw(t, "township")}
			}), true).Draw(t, "origin"),
			Available: rapid.Ptr(rapid.Custom(func(t *rapid.T) reading.Window {
				return reading.Window{Text: texts().Draw(t, "text"), From: date.Draw(t, "from"), To: date.Draw(t, "to")}
			}), true).Draw(t, "available"),
		}
	})
}

// Whatever was understood comes back as it was, however many lots a message has, and an edit replaces its part and no other.
func TestLotsComeBackExactly(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	me := contact(t, db, people.OpenID, "oAAA")
	var messages atomic.Int64
	ctx := t.Context()
	rapid.Check(t, func(t *rapid.T) {
		want, message := rapid.SliceOfN(lotGen(), 1, 6).Draw(t, "lots"), messages.Add(1)
		if err := try(ctx, db, func(b *pgx.Batch) {
			market.QueueAdd(b, me, message, "wechat", reading.Supply, want, "", false, "", noon)
		}); err != nil {
			t.Fatal(err)
		}
		ls, err := market.Recent(ctx, db, me, len(want))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lots(ls)); diff != "" {
			t.Fatalf("stored (-want +got):\n%s", diff)
		}
		no, edit := rapid.IntRange(0, len(want)-1).Draw(t, "no"), lotGen().Draw(t, "edit")
		replace(&want[no], edit)
		if err := try(ctx, db, func(b *pgx.Batch) {
			market.QueueEdit(b, me, ls[no].ID, market.Edit{Quantity: edit.Quantity, Price: edit.Price, Origin: edit.Origin, Available: edit.Available}, noon)
		}); err != nil {
			t.Fatal(err)
		}
		if ls, err = market.Recent(ctx, db, me, len(want)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, lots(ls)); diff != "" {
			t.Fatalf("edited (-want +got):\n%s", diff)
		}
	})
}

func replace(lot *reading.Lot, e reading.Lot) {
	if e.Quantity != nil {
		lot.Quantity = e.Quantity
	}
	if e.Price != nil {
		lot.Price = e.Price
	}
	if e.Origin != nil {
		lot.Origin = e.Origin
	}
	if e.Available != nil {
		lot.Available = e.Available
	}
}

// The statement of the message path, in a transaction as inbox sends it: one round trip, one commit.
func BenchmarkQueueAdd(b *testing.B) {
	for _, n := range []int{1, 3} {
		b.Run(fmt.Sprintf("lots=%d", n), func(b *testing.B) {
			db := pgtest.New(b)
			var who [64]int64
			for i := range who {
				who[i] = contact(b, db, people.OpenID, fmt.Sprintf("oAAA%02d", i))
			}
			var message atomic.Int64
			lots := []reading.Lot{peaches(), {Product: "冬笋"}, peaches()}[:n]
			b.SetParallelism(8)
			b.ResetTimer()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					batch := &pgx.Batch{}
					id := message.Add(1)
					market.QueueAdd(batch, who[id%int64(len(who))], id, "wechat", reading.Supply, lots, "", false, "430225", noon)
					if err := db.SendBatch(b.Context(), batch).Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
