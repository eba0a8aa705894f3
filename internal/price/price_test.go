package price_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
	"github.com/nongxun/nongxun/internal/price"
)

// noon of 24 November in Changsha.
var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

func day(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }

func ptr[T any](v T) *T { return &v }

func importRows(t testing.TB, db *pgxpool.Pool, rows ...price.Quote) int {
	t.Helper()
	n, err := tryImport(t.Context(), db, rows)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func tryImport(ctx context.Context, db *pgxpool.Pool, rows []price.Quote) (n int, err error) {
	lex := new(lexicon.Lexicon).With([]lexicon.Product{{Name: "黄桃", Varieties: []string{"锦绣黄桃=炎陵黄桃"}}, {Name: "苹果"}}, nil)
	err = pg.InTx(ctx, db, func(tx pgx.Tx) error {
		n, err = price.ImportRows(ctx, tx, lex, rows, noon)
		return err
	})
	return n, err
}

func quote(d int, market, region, product, variety string, avg reading.Milli) price.Quote {
	return price.Quote{Day: day(d), Market: market, Region: region, Product: product, Variety: variety, Avg: avg, Unit: "元/公斤"}
}

func TestImportCountsWhatChanged(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	red := quote(23, "长沙红星", "430100", "黄桃", "", 7000)
	apple := quote(23, "长沙红星", "430100", "苹果", "红富士", 8000)
	corrected := apple
	corrected.Low, corrected.High = ptr[reading.Milli](7500), ptr[reading.Milli](9000)
	for i, step := range []struct {
		rows []price.Quote
		want int
	}{
		{nil, 0},
		{[]price.Quote{red, apple}, 2},
		{[]price.Quote{red, apple}, 0},
		{[]price.Quote{apple, red}, 0},
		{[]price.Quote{red, corrected}, 1},
		{[]price.Quote{apple, corrected}, 0}, // of two rows for one thing the last counts
	} {
		if got := importRows(t, db, step.rows...); got != step.want {
			t.Errorf("step %d: %d changed, want %d", i, got, step.want)
		}
	}
	got := latest(t, db, []string{"苹果"}, "", 9)
	want := corrected
	want.ID, want.AvgPerKg = got[0].ID, ptr[reading.Milli](8000)
	if diff := cmp.Diff([]price.Quote{want}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImportRefusesNoPrice(t *testing.T) {
	t.Parallel()
	if n, err := tryImport(t.Context(), pgtest.New(t), []price.Quote{quote(23, "长沙红星", "", "黄桃", "", 0)}); err == nil {
		t.Errorf("a price of nothing was stored (%d)", n)
	}
}

func TestPerKg(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	for unit, want := range map[string]*reading.Milli{
		"元/公斤": ptr[reading.Milli](3500), "元/千克": ptr[reading.Milli](3500), "元/斤": ptr[reading.Milli](7000),
		"元/百斤": ptr[reading.Milli](70), "元/吨": ptr[reading.Milli](4), "元/头": nil, "": nil,
	} {
		q := quote(23, "某市场"+unit, "", unit+"货", "", 3500)
		q.Unit = unit
		importRows(t, db, q)
		if diff := cmp.Diff(want, latest(t, db, []string{unit + "货"}, "", 1)[0].AvgPerKg); diff != "" {
			t.Errorf("%s (-want +got):\n%s", unit, diff)
		}
	}
}

func latest(t testing.TB, db *pgxpool.Pool, products []string, county string, limit int) []price.Quote {
	t.Helper()
	qs, err := price.Latest(t.Context(), db, products, county, noon, limit)
	if err != nil {
		t.Fatal(err)
	}
	return qs
}

func TestLatest(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	importRows(t, db,
		quote(22, "炎陵", "430225", "黄桃", "", 1000), quote(20, "炎陵", "430225", "黄桃", "", 1001), quote(22, "炎陵", "430225", "黄桃", "锦绣黄桃", 1002),
		quote(21, "株洲", "430200", "黄桃", "", 2000),
		quote(23, "长沙红星", "430100", "黄桃", "", 3000), quote(22, "郴州", "431000", "黄桃", "", 3001),
		quote(24, "北京新发地", "110106", "黄桃", "", 4000), quote(23, "某地", "", "黄桃", "", 4001), quote(25, "明天", "430225", "黄桃", "", 4002),
		quote(24, "长沙红星", "430100", "冬笋", "", 5000),
	)
	old := quote(24, "过时", "430225", "辣椒", "", 6000)
	old.Day = day(24).AddDate(0, 0, -31)
	importRows(t, db, old)
	for name, c := range map[string]struct {
		products []string
		county   string
		limit    int
		want     []reading.Milli
	}{
		"nearest first, then newest": {[]string{"黄桃"}, "430225", 9, []reading.Milli{1000, 2000, 3000, 3001, 4000, 4001}},
		"place unknown: newest":      {[]string{"黄桃"}, "", 4, []reading.Milli{4000, 4001, 3000, 1000}},
		"a prefecture's code":        {[]string{"黄桃"}, "430200", 2, []reading.Milli{2000, 1000}},
		"a neighbour prefecture":     {[]string{"黄桃"}, "431003", 1, []reading.Milli{3001}},
		"limit is for each product":  {[]string{"冬笋", "黄桃", "没有"}, "430225", 2, []reading.Milli{5000, 1000, 2000}},
		"by variety":                 {[]string{"锦绣黄桃"}, "430225", 9, []reading.Milli{1002}},
		"too old":                    {[]string{"辣椒"}, "430225", 9, nil},
		"nothing asked":              {nil, "430225", 9, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []reading.Milli
			for _, q := range latest(t, db, c.products, c.county, c.limit) {
				got = append(got, q.Avg)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if got := latest(t, db, []string{"黄桃"}, "430225", 1)[0].Day; !got.Equal(day(22)) {
		t.Errorf("day %v, want the 22nd", got)
	}
}

// Importing the same rows again changes nothing, whatever they are and however they are cut into files.
func TestImportTwiceIsOnce(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	ctx := t.Context()
	row := rapid.Custom(func(t *rapid.T) price.Quote {
		return price.Quote{
			Day: day(rapid.IntRange(1, 28).Draw(t, "day")), Market: rapid.SampledFrom([]string{"红星", "马王堆 ", "红星 "}).Draw(t, "market"),
			Product: rapid.SampledFrom([]string{"黄桃", "苹果"}).Draw(t, "product"), Variety: rapid.SampledFrom([]string{"", "红富士"}).Draw(t, "variety"),
			Avg: reading.Milli(rapid.Int64Range(1, 1<<40).Draw(t, "avg")), Low: rapid.Ptr(rapid.Just(reading.Milli(5)), true).Draw(t, "low"),
			Unit: rapid.SampledFrom([]string{"元/公斤", "元/斤", "元/箱"}).Draw(t, "unit"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(row, 0, 20).Draw(t, "rows")
		for i := range 2 {
			n, err := tryImport(ctx, db, rows)
			if err != nil {
				t.Fatal(err)
			}
			if i > 0 && n != 0 {
				t.Fatalf("%d changed the second time", n)
			}
		}
	})
}
