package price_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/internal/price"
)

// subscriber makes a contact of a county who subscribed to products, each written as 黄桃 or 黄桃@430100.
func subscriber(t *testing.T, db *pgxpool.Pool, name, county string, products ...string) {
	t.Helper()
	c, err := people.Create(t.Context(), db, people.OpenID, name, noon)
	if err != nil {
		t.Fatal(err)
	}
	b := &pgx.Batch{}
	people.QueueProfile(b, c.ID, people.Profile{Name: name, County: county})
	for _, p := range products {
		product, region, _ := strings.Cut(p, "@")
		people.QueueSubscribe(b, c.ID, []people.Subscription{{Topic: people.TopicPrice, Product: product, Region: region}}, "wechat", noon)
	}
	if err := db.SendBatch(t.Context(), b).Close(); err != nil {
		t.Fatal(err)
	}
}

func putBulletins(t *testing.T, db *pgxpool.Pool, at time.Time) (n int) {
	t.Helper()
	err := pg.InTx(t.Context(), db, func(tx pgx.Tx) (err error) {
		n, err = price.PutBulletins(t.Context(), tx, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// told returns the texts put under a cause, by the contact's name.
func told(t *testing.T, db *pgxpool.Pool, cause string) map[string]string {
	t.Helper()
	rows, err := db.Query(t.Context(), `SELECT c.name, d.text FROM delivery d JOIN contact c ON c.id = d.contact_id WHERE d.cause = $1`, cause)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	var name, text string
	if _, err := pgx.ForEachRow(rows, []any{&name, &text}, func() error { got[name] = text; return nil }); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestBulletins(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	importRows(t, db,
		quote(24, "炎陵", "430225", "黄桃", "", 6000), quote(23, "炎陵", "430225", "黄桃", "", 9999), quote(23, "长沙红星", "430100", "黄桃", "", 7000),
		quote(24, "长沙红星", "430100", "黄桃", "锦绣黄桃", 8000), quote(24, "长沙红星", "430100", "冬笋", "", 12000),
		quote(17, "长沙红星", "430100", "辣椒", "", 5000), quote(25, "长沙红星", "430100", "生姜", "", 5000),
	)
	subscriber(t, db, "near", "430225", "黄桃")
	subscriber(t, db, "elsewhere", "430225", "黄桃@430100")
	subscriber(t, db, "variety", "430225", "锦绣黄桃")
	subscriber(t, db, "two", "430225", "冬笋", "黄桃")
	subscriber(t, db, "everything", "430102", "")
	subscriber(t, db, "nothing new", "430225", "辣椒")
	subscriber(t, db, "not yet", "430225", "生姜")
	subscriber(t, db, "nobody", "430225")
	subscriber(t, db, "opted out", "430225", "黄桃")
	if _, err := db.Exec(t.Context(), `UPDATE contact SET opted_out_at = $1 WHERE name = 'opted out'`, noon); err != nil {
		t.Fatal(err)
	}
	if n := putBulletins(t, db, noon); n != 5 {
		t.Errorf("%d put, want 5", n)
	}
	want := map[string]string{
		"near":       "黄桃行情,11月24日:炎陵 6元/公斤,合3元/斤;长沙红星 锦绣黄桃 8元/公斤,合4元/斤。不收回退订",
		"elsewhere":  "黄桃行情,11月24日:长沙红星 锦绣黄桃 8元/公斤,合4元/斤;炎陵 6元/公斤,合3元/斤。不收回退订",
		"variety":    "锦绣黄桃行情,11月24日:长沙红星 8元/公斤,合4元/斤。不收回退订",
		"two":        "11月24日行情:冬笋 长沙红星 12元/公斤;黄桃 炎陵 6元/公斤。不收回退订",
		"everything": "11月24日行情:黄桃 长沙红星 锦绣黄桃 8元/公斤;冬笋 长沙红星 12元/公斤。不收回退订",
	}
	if diff := cmp.Diff(want, told(t, db, "price:2026-11-24")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := putBulletins(t, db, noon.Add(time.Hour)); n != 0 {
		t.Errorf("%d put again on the same day", n)
	}
	putBulletins(t, db, noon.Add(12*time.Hour)) // the 25th in Changsha: 00:00
	if diff := cmp.Diff([]string{"not yet", "everything"}, keys(told(t, db, "price:2026-11-25"), "not yet", "everything")); diff != "" {
		t.Errorf("the next day tells what is new and nothing else (-want +got):\n%s", diff)
	}
}

// keys returns those of the names that are there, and everything else that is there.
func keys(m map[string]string, order ...string) (out []string) {
	for _, k := range order {
		if _, ok := m[k]; ok {
			out = append(out, k)
			delete(m, k)
		}
	}
	for k := range m {
		out = append(out, k)
	}
	return out
}

func TestDigestNamesAFewAndCountsTheRest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for _, product := range []string{"甲", "乙", "丙", "丁", "戊", "己"} {
		importRows(t, db, quote(24, "红星", "430100", product, "", 1000))
	}
	subscriber(t, db, "all", "", "丙", "")
	putBulletins(t, db, noon)
	want := map[string]string{"all": "11月24日行情:丙 红星 1元/公斤;丁 红星 1元/公斤;乙 红星 1元/公斤;己 红星 1元/公斤;另有2样,问我就行。不收回退订"}
	if diff := cmp.Diff(want, told(t, db, "price:2026-11-24")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A price of Wednesday that comes on the Tuesday after is not Tuesday's price.
func TestABulletinSaysOfWhatDayThePriceIs(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	importRows(t, db, quote(18, "炎陵", "430225", "黄桃", "", 6000), quote(23, "长沙红星", "430100", "冬笋", "", 12000))
	subscriber(t, db, "one", "430225", "黄桃")
	subscriber(t, db, "two", "430225", "黄桃", "冬笋")
	putBulletins(t, db, noon)
	want := map[string]string{
		"one": "黄桃行情,11月18日:炎陵 6元/公斤,合3元/斤。不收回退订",
		"two": "11月23日行情:冬笋 长沙红星 12元/公斤;黄桃 炎陵 11月18日 6元/公斤。不收回退订",
	}
	if diff := cmp.Diff(want, told(t, db, "price:2026-11-24")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A price that was mistyped and told is told again when it is put right.
func TestACorrectionIsTold(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	subscriber(t, db, "one", "430225", "黄桃")
	importRows(t, db, quote(24, "炎陵", "430225", "黄桃", "", 60000))
	putBulletins(t, db, noon)
	importRows(t, db, quote(24, "炎陵", "430225", "黄桃", "", 6000))
	putBulletins(t, db, noon.Add(24*time.Hour))
	want := map[string]string{"one": "黄桃行情,11月24日:炎陵 6元/公斤,合3元/斤。不收回退订"}
	if diff := cmp.Diff(want, told(t, db, "price:2026-11-25")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
