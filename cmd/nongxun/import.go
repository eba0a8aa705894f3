package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/glossary"
	"github.com/nongxun/nongxun/internal/pg"
	"github.com/nongxun/nongxun/internal/price"
	"github.com/nongxun/nongxun/internal/tables"
)

type importVerb struct {
	Kind string `arg:"" enum:"products,regions,prices,fairs" help:"products, regions, prices or fairs."`
	File string `arg:"" help:"A .csv (UTF-8 or GB18030) or .xlsx file; the first row names the columns."`
}

// importer reads a kind of file and stores it: all or nothing.
type importer struct {
	columns []tables.Column
	store   func(ctx context.Context, tx pgx.Tx, rows []tables.Row, now time.Time) (changed int, err error)
}

func importers() map[string]importer {
	need := func(names ...string) (out []tables.Column) {
		for _, n := range names {
			out = append(out, tables.Column{Name: n, Required: true})
		}
		return out
	}
	may := func(columns []tables.Column, names ...string) []tables.Column {
		for _, n := range names {
			columns = append(columns, tables.Column{Name: n})
		}
		return columns
	}
	return map[string]importer{
		"prices":   {may(need("日期", "市场", "品种", "平均价", "单位"), "最低价", "最高价", "来源"), storePrices},
		"fairs":    {may(need("编号", "名称", "季节", "报名开始", "报名截止"), "开始", "结束", "县指标"), storeFairs},
		"products": {may(need("名称", "类别"), "别名", "单位", "上市月份"), storeProducts},
		"regions":  {may(need("代码", "名称"), "上级", "曾用名", "生效", "失效"), storeRegions},
	}
}

// Run imports the file, or says everything that is wrong with it and changes nothing.
func (v importVerb) Run(ctx context.Context, w *world) error {
	imp := importers()[v.Kind]
	rows, err := tables.Read(v.File, imp.columns)
	if err != nil {
		return sayProblems(w, err)
	}
	return withDatabase(ctx, w, func(_ settings, db *database) error {
		var changed int
		err := pg.InTx(ctx, db.pool, func(tx pgx.Tx) (err error) {
			changed, err = imp.store(ctx, tx, rows, time.Now())
			return err
		})
		if err != nil {
			return sayProblems(w, err)
		}
		said := fmt.Sprintf("读了 %d 行,新增或更改 %d 行", len(rows), changed)
		if n := samePlace(rows); v.Kind == "prices" && n > 0 {
			said += fmt.Sprintf(";有 %d 行和后面的行是同一天、同一市场、同一品种,只留了后面的", n)
		}
		_, err = fmt.Fprintln(w.stdout, said)
		return err
	})
}

// samePlace is how many rows of prices a later one of the same day, market and product replaces.
func samePlace(rows []tables.Row) int {
	seen := map[[3]string]bool{}
	for _, r := range rows {
		seen[[3]string{r.Text("日期"), r.Text("市场"), r.Text("品种")}] = true
	}
	return len(rows) - len(seen)
}

// sayProblems prints what is wrong with a file, for the clerk who made it.
func sayProblems(w *world, err error) error {
	var p *tables.Problems
	if !errors.As(err, &p) {
		return err
	}
	_, _ = fmt.Fprintf(w.stderr, "没有导入,文件里有错:\n%s\n", p)
	return errSaid
}

func storePrices(ctx context.Context, tx pgx.Tx, rows []tables.Row, now time.Time) (int, error) {
	lex, err := bureauLexicon(ctx, tx)
	if err != nil {
		return 0, err
	}
	var wrong tables.Problems
	quotes := make([]price.Quote, 0, len(rows))
	today, _ := time.Parse(time.DateOnly, now.In(shanghai).Format(time.DateOnly))
	for _, r := range rows {
		q := price.Quote{
			Market: r.Text("市场"), Product: r.Text("品种"), Unit: r.Text("单位"), Source: r.Text("来源"),
			Low: decimal(r, &wrong, "最低价"), High: decimal(r, &wrong, "最高价"),
		}
		q.Day, _ = r.Date(&wrong, "日期")
		var ok bool
		if q.Avg, ok = r.Decimal(&wrong, "平均价"); ok && q.Avg <= 0 {
			r.Fail(&wrong, "平均价", "应比 0 大")
		}
		if q.Unit, ok = price.Unit(q.Unit); !ok {
			r.Fail(&wrong, "单位", "应写成 元/公斤 或 元/斤")
		}
		if q.Low != nil && q.High != nil && *q.Low > *q.High {
			r.Fail(&wrong, "最低价", "比最高价还高")
		}
		if q.Low != nil && (*q.Low < 0 || q.Avg > 0 && *q.Low > 2*q.Avg) { // real lists are a little inconsistent; a slip of ten is not
			r.Fail(&wrong, "最低价", "比平均价高出一倍还多,请核对小数点")
		}
		if q.High != nil && *q.High*2 < q.Avg {
			r.Fail(&wrong, "最高价", "不到平均价的一半,请核对小数点")
		}
		if q.Day.After(today) {
			r.Fail(&wrong, "日期", "还没有到")
		}
		quotes = append(quotes, q)
	}
	if err = wrong.Err(); err != nil {
		return 0, err
	}
	return price.ImportRows(ctx, tx, lex, quotes, now)
}

func storeFairs(ctx context.Context, tx pgx.Tx, rows []tables.Row, now time.Time) (int, error) {
	var wrong tables.Problems
	fairs := make([]fair.Fair, 0, len(rows))
	for _, r := range rows {
		f := fair.Fair{
			Code: r.Text("编号"), Name: r.Text("名称"), Season: r.Text("季节"), From: date(r, &wrong, "开始"), To: date(r, &wrong, "结束"),
		}
		f.SignupFrom, _ = r.Date(&wrong, "报名开始")
		f.SignupTo, _ = r.Date(&wrong, "报名截止")
		f.CountyTarget, _ = r.Whole(&wrong, "县指标")
		if f.Season != "冬季" && f.Season != "夏季" {
			r.Fail(&wrong, "季节", "应是 冬季 或 夏季")
		}
		if f.SignupTo.Before(f.SignupFrom) {
			r.Fail(&wrong, "报名截止", "比报名开始还早")
		}
		if f.From != nil && f.To != nil && f.To.Before(*f.From) {
			r.Fail(&wrong, "结束", "比开始还早")
		}
		if slices.ContainsFunc(fairs, func(o fair.Fair) bool { return o.Code == f.Code }) {
			r.Fail(&wrong, "编号", "上面已经有这个编号")
		}
		fairs = append(fairs, f)
	}
	if err := wrong.Err(); err != nil {
		return 0, err
	}
	return fair.ImportRows(ctx, tx, fairs, now)
}

func storeProducts(ctx context.Context, tx pgx.Tx, rows []tables.Row, _ time.Time) (int, error) {
	var wrong tables.Problems
	products := make([]lexicon.Product, 0, len(rows))
	seen := map[string]bool{}
	for _, r := range rows {
		once(r, &wrong, seen, "名称")
		products = append(products, lexicon.Product{
			Name: r.Text("名称"), Category: r.Text("类别"), Unit: r.Text("单位"), Aliases: r.List("别名"), Months: r.Text("上市月份"),
		})
	}
	if err := wrong.Err(); err != nil {
		return 0, err
	}
	return glossary.ImportProducts(ctx, tx, products)
}

// once notes that a row has the key of a row above it.
func once(r tables.Row, wrong *tables.Problems, seen map[string]bool, column string) {
	key := r.Text(column)
	if seen[key] {
		r.Fail(wrong, column, "上面已经有“"+key+"”")
	}
	seen[key] = true
}

func storeRegions(ctx context.Context, tx pgx.Tx, rows []tables.Row, _ time.Time) (int, error) {
	var wrong tables.Problems
	regions := make([]lexicon.Region, 0, len(rows))
	seen := map[string]bool{}
	for _, r := range rows {
		once(r, &wrong, seen, "代码")
		g := lexicon.Region{
			Code: r.Text("代码"), Name: r.Text("名称"), Parent: r.Text("上级"), Former: r.List("曾用名"),
			ValidFrom: day(date(r, &wrong, "生效")), ValidTo: day(date(r, &wrong, "失效")),
		}
		if len(g.Code) < 6 || len(g.Code) > 12 || strings.Trim(g.Code, "0123456789") != "" {
			r.Fail(&wrong, "代码", "应是 6 到 12 位数字,例如 430225")
		}
		regions = append(regions, g)
	}
	if err := wrong.Err(); err != nil {
		return 0, err
	}
	return glossary.ImportRegions(ctx, tx, regions)
}

func date(r tables.Row, wrong *tables.Problems, column string) *time.Time {
	if t, ok := r.Date(wrong, column); ok {
		return &t
	}
	return nil
}

func decimal(r tables.Row, wrong *tables.Problems, column string) *reading.Milli {
	if m, ok := r.Decimal(wrong, column); ok {
		return &m
	}
	return nil
}

func day(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
