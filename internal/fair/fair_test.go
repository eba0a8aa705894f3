package fair_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, people.Migrations, fair.Migrations) }

var noon = time.Date(2026, 11, 24, 4, 0, 0, 0, time.UTC)

func day(month time.Month, d int) time.Time { return time.Date(2026, month, d, 0, 0, 0, 0, time.UTC) }

func winter() fair.Fair {
	from, to := day(12, 20), day(12, 30)
	return fair.Fair{Code: "2026冬", Name: "2026年冬季对接会", Season: "冬季", SignupFrom: day(11, 20), SignupTo: day(12, 15), From: &from, To: &to, CountyTarget: 2000}
}

func importRows(t testing.TB, db *pgxpool.Pool, rows ...fair.Fair) (n int) {
	t.Helper()
	err := pg.InTx(t.Context(), db, func(tx pgx.Tx) (err error) {
		n, err = fair.ImportRows(t.Context(), tx, rows, noon)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func contact(t testing.TB, db *pgxpool.Pool, kind, value string) int64 {
	t.Helper()
	c, err := people.Create(t.Context(), db, kind, value, noon)
	if err != nil {
		t.Fatal(err)
	}
	return c.ID
}

func try(ctx context.Context, db *pgxpool.Pool, queue func(b *pgx.Batch)) error {
	b := &pgx.Batch{}
	queue(b)
	return db.SendBatch(ctx, b).Close()
}

func do(t testing.TB, db *pgxpool.Pool, queue func(b *pgx.Batch)) {
	t.Helper()
	if err := try(t.Context(), db, queue); err != nil {
		t.Fatal(err)
	}
}

func TestImportCountsWhatChanged(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	longer, summer := winter(), fair.Fair{Code: "2026夏", Name: "夏季对接会", Season: "夏季", SignupFrom: day(5, 1), SignupTo: day(6, 1)}
	longer.SignupTo = day(12, 18)
	for i, step := range []struct {
		rows []fair.Fair
		want int
	}{
		{[]fair.Fair{winter(), summer}, 2},
		{[]fair.Fair{summer, winter()}, 0},
		{[]fair.Fair{longer, summer}, 1},
	} {
		if got := importRows(t, db, step.rows...); got != step.want {
			t.Errorf("step %d: %d changed, want %d", i, got, step.want)
		}
	}
	got, _, err := fair.Current(t.Context(), db, noon)
	if err != nil {
		t.Fatal(err)
	}
	longer.ID = got.ID
	if diff := cmp.Diff(&longer, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCurrent(t *testing.T) {
	t.Parallel()
	span := func(code string, from, to time.Time) fair.Fair {
		return fair.Fair{Code: code, Name: code, Season: "冬季", SignupFrom: from, SignupTo: to}
	}
	spring, summer, autumn, long := span("春", day(2, 1), day(2, 20)), span("夏", day(6, 1), day(6, 30)), span("秋", day(9, 1), day(9, 30)), span("全年", day(6, 10), day(12, 31))
	changsha := time.FixedZone("", 8*3600)
	for name, c := range map[string]struct {
		fairs []fair.Fair
		at    time.Time
		want  string
		open  bool
	}{
		"none":                       {nil, noon, "", false},
		"open":                       {[]fair.Fair{spring, summer, autumn}, day(6, 15), "夏", true},
		"first second of its days":   {[]fair.Fair{spring, summer}, time.Date(2026, 6, 1, 0, 0, 0, 0, changsha), "夏", true},
		"last second of its days":    {[]fair.Fair{summer, autumn}, time.Date(2026, 6, 30, 23, 59, 59, 0, changsha), "夏", true},
		"the second after":           {[]fair.Fair{summer}, time.Date(2026, 7, 1, 0, 0, 0, 0, changsha), "夏", false},
		"two open: closes first":     {[]fair.Fair{long, summer}, day(6, 15), "夏", true},
		"none open: the next":        {[]fair.Fair{autumn, summer, spring}, day(4, 1), "夏", false},
		"none to come: the last one": {[]fair.Fair{spring, summer, autumn}, day(11, 1), "秋", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := pgtest.New(t)
			importRows(t, db, c.fairs...)
			f, open, err := fair.Current(t.Context(), db, c.at)
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if f != nil {
				got = f.Code
			}
			if got != c.want || open != c.open {
				t.Errorf("%q open %v, want %q open %v", got, open, c.want, c.open)
			}
		})
	}
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	importRows(t, db, winter())
	f, _, err := fair.Current(t.Context(), db, noon)
	if err != nil {
		t.Fatal(err)
	}
	farmer, broker := contact(t, db, people.OpenID, "oAAA"), contact(t, db, people.Phone, "13907310001")
	first := fair.SignUp{FairID: f.ID, ContactID: farmer, MerchantType: "grower", Name: "李大山", Products: []string{"黄桃"}, County: "430225", Phone: "13800000000", Channel: "wechat"}
	of := func(contactID int64) *fair.SignUp {
		t.Helper()
		s, err := fair.OfContact(t.Context(), db, f.ID, contactID)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if of(farmer) != nil {
		t.Fatal("signed up before signing up")
	}
	second, later := first, noon.Add(time.Hour)
	second.Products, second.Name, second.Channel = nil, "李大山合作社", "sms"
	do(t, db, func(b *pgx.Batch) { fair.QueueSignUp(b, first, noon) })
	id := of(farmer).ID
	do(t, db, func(b *pgx.Batch) {
		fair.QueueSignUp(b, second, later)
		fair.QueueCancel(b, f.ID, broker, later)
	})
	second.ID, second.CreatedAt, second.UpdatedAt, second.Products = id, noon, later, []string{}
	if diff := cmp.Diff(&second, of(farmer)); diff != "" {
		t.Errorf("signed up twice (-want +got):\n%s", diff)
	}
	do(t, db, func(b *pgx.Batch) { fair.QueueCancel(b, f.ID, farmer, later) })
	if of(farmer) != nil {
		t.Error("still signed up after a cancel")
	}
	do(t, db, func(b *pgx.Batch) { fair.QueueSignUp(b, first, later) })
	if got := of(farmer); got == nil || got.ID != id || got.Name != "李大山" {
		t.Errorf("revived: %+v", got)
	}
}

func TestEachAndProgress(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	other := winter()
	other.Code, other.SignupFrom, other.SignupTo = "2027冬", day(12, 20), day(12, 31)
	importRows(t, db, winter(), other)
	f, _, err := fair.Current(t.Context(), db, noon)
	if err != nil {
		t.Fatal(err)
	}
	next, _, err := fair.Current(t.Context(), db, day(12, 25))
	if err != nil {
		t.Fatal(err)
	}
	broker := contact(t, db, people.Phone, "13907310001")
	do(t, db, func(b *pgx.Batch) {
		b.Queue(`INSERT INTO address (kind, value, contact_id, created_at) VALUES ('openid', 'oBBB', $1, $2)`, broker, noon)
		fair.QueueSignUp(b, fair.SignUp{FairID: next.ID, ContactID: broker, Name: "broker", County: "430225", Channel: "sms"}, noon)
	})
	for i, county := range []string{"431003", "430225", "431122", "", "430225", "430225"} {
		id := contact(t, db, people.OpenID, "oAAA"+string(rune('a'+i)))
		do(t, db, func(b *pgx.Batch) {
			fair.QueueSignUp(b, fair.SignUp{FairID: f.ID, ContactID: id, Name: county, County: county, Channel: "wechat"}, noon)
			if i == 5 {
				fair.QueueCancel(b, f.ID, id, noon)
			}
		})
	}
	for name, c := range map[string]struct {
		filter fair.Filter
		want   []string
	}{
		"all":        {fair.Filter{}, []string{"broker", "431003", "430225", "431122", "", "430225"}},
		"of a fair":  {fair.Filter{Fair: "2026冬"}, []string{"431003", "430225", "431122", "", "430225"}},
		"prefecture": {fair.Filter{Region: "431000"}, []string{"431003"}},
		"province":   {fair.Filter{Region: "430000", Fair: "2026冬"}, []string{"431003", "430225", "431122", "430225"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := fair.Each(t.Context(), db, c.filter, func(s fair.SignUp) error {
				got = append(got, s.Name)
				if s.ContactID == broker && (s.Address != "13907310001" || s.Fair != "2027冬") {
					t.Errorf("address %q, fair %q", s.Address, s.Fair)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	stop := errors.New("stop")
	if err := fair.Each(t.Context(), db, fair.Filter{}, func(fair.SignUp) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("error %v, want fn's own", err)
	}
	for region, want := range map[string][]fair.CountyProgress{
		"":       {{"", 1, 2000}, {"430225", 2, 2000}, {"431003", 1, 2000}, {"431122", 1, 2000}},
		"431000": {{"431003", 1, 2000}},
	} {
		got, err := fair.Progress(t.Context(), db, f.ID, region)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("progress of %q (-want +got):\n%s", region, diff)
		}
	}
}

// However often people sign up and cancel, each has one sign-up at most, and it stands when the last word was to sign up.
func TestOneSignUpEach(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	importRows(t, db, winter())
	f, _, err := fair.Current(t.Context(), db, noon)
	if err != nil {
		t.Fatal(err)
	}
	who := []int64{contact(t, db, people.OpenID, "oAAA"), contact(t, db, people.OpenID, "oBBB")}
	ctx := t.Context()
	stands := map[int64]bool{}
	rapid.Check(t, func(t *rapid.T) {
		err := try(ctx, db, func(b *pgx.Batch) {
			for range rapid.IntRange(1, 10).Draw(t, "steps") {
				id := rapid.SampledFrom(who).Draw(t, "who")
				if stands[id] = rapid.Bool().Draw(t, "sign up"); stands[id] {
					fair.QueueSignUp(b, fair.SignUp{FairID: f.ID, ContactID: id}, noon)
				} else {
					fair.QueueCancel(b, f.ID, id, noon)
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		got := map[int64]int{}
		if err := fair.Each(ctx, db, fair.Filter{}, func(s fair.SignUp) error { got[s.ContactID]++; return nil }); err != nil {
			t.Fatal(err)
		}
		for _, id := range who {
			if want := map[bool]int{true: 1}[stands[id]]; got[id] != want {
				t.Fatalf("%d sign-ups stand, want %d", got[id], want)
			}
		}
	})
}
