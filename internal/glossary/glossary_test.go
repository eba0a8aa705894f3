package glossary_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/internal/glossary"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/pg/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, glossary.Migrations) }

func TestImportTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	products := []lexicon.Product{{Name: "雷公屎", Category: "蔬菜", Unit: "斤", Aliases: []string{"地皮菜"}}}
	regions := []lexicon.Region{{Code: "430299", Name: "云龙区", Parent: "430200", Former: []string{"云龙"}, ValidFrom: "2027-01-01"}}
	load := func() (changed int) {
		err := pg.InTx(ctx, pool, func(tx pgx.Tx) error {
			p, err := glossary.ImportProducts(ctx, tx, products)
			if err != nil {
				return err
			}
			r, err := glossary.ImportRegions(ctx, tx, regions)
			changed = p + r
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	if got := load(); got != 2 {
		t.Errorf("first import changed %d, want 2", got)
	}
	before, err := glossary.Version(ctx, pool)
	if err != nil {
		t.Fatal(err)
	}
	if got := load(); got != 0 {
		t.Errorf("second import changed %d, want 0", got)
	}
	after, err := glossary.Version(ctx, pool)
	if err != nil || after != before || before == 0 {
		t.Errorf("version %d then %d (%v), want the same and not 0", before, after, err)
	}
	p, r, err := glossary.Load(ctx, pool)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(products, p); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(regions, r); diff != "" {
		t.Error(diff)
	}
	products[0].Unit = "公斤"
	if got := load(); got != 1 {
		t.Errorf("one product differs: changed %d", got)
	}
}
