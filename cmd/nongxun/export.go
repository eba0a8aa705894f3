package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/width"

	"github.com/nongxun/nongxun/content/lexicon"
	"github.com/nongxun/nongxun/content/reading"
	"github.com/nongxun/nongxun/content/writing"
	"github.com/nongxun/nongxun/internal/fair"
	"github.com/nongxun/nongxun/internal/inbox"
	"github.com/nongxun/nongxun/internal/market"
	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/internal/people"
	"github.com/nongxun/nongxun/internal/tables"
)

type exportVerb struct {
	Kind     string `arg:"" enum:"listings,signups,contacts,messages,deliveries" help:"listings, signups, contacts, messages or deliveries."`
	Format   string `enum:"csv,xlsx,jsonl" default:"csv" help:"csv, xlsx or jsonl."`
	Output   string `help:"The file to write; standard output where there is none." placeholder:"FILE"`
	Region   string `help:"Only this region: a GB/T 2260 code." placeholder:"CODE"`
	Unmasked bool   `help:"Whole phone numbers and openids. It is put on record."`
}

// exporter writes rows of one kind; mask hides addresses.
type exporter struct {
	header []string
	each   func(ctx context.Context, db *database, v exportVerb, mask func(string) string, w output) error
}

func exporters() map[string]exporter {
	return map[string]exporter{
		"listings": {[]string{"编号", "类型", "状态", "品种", "细类", "数量", "价格", "产地", "产地代码", "上市", "渠道", "联系", "登记时间"}, exportListings},
		"signups":  {[]string{"编号", "对接会", "姓名", "商户类型", "县", "县代码", "产品", "电话", "渠道", "报名时间"}, exportSignups},
		"contacts": {[]string{"编号", "姓名", "商户类型", "县代码", "电话", "产品", "已退订", "等人工", "来时间"}, exportContacts},
		"messages": {[]string{"编号", "渠道", "联系", "内容", "回话", "意图", "状态", "收到时间"}, exportMessages},
		"deliveries": {
			[]string{
				"编号", "渠道", "联系", "类型", "状态", "原因", "次数", "放入时间", "发出时间", "群发", "路", "送达时间", "条数", "代码", "状态说明", "原因说明", "事由",
			}, exportDeliveries,
		},
	}
}

var (
	// longNumber is what may be a phone in a text: 10 digits or more, with hyphens or blanks between them, in either width.
	longNumber = regexp.MustCompile(`[0-9０-９](?:[-－—–  .·]?[0-9０-９]){9,}`)
	// mobile is a phone in a key of ours, where other long numbers are the platforms' own.
	mobile = regexp.MustCompile(`\b1[3-9]\d{9}\b`)
)

// hidden hides the phones inside of a text, unless --unmasked.
func (v exportVerb) hidden(text string) string {
	if v.Unmasked {
		return text
	}
	return longNumber.ReplaceAllStringFunc(text, func(s string) string {
		return people.Mask(strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, width.Narrow.String(s)))
	})
}

// within tells whether a region is a part of another one, or the same.
func within(region, of string) bool {
	for _, level := range []string{"0000", "00"} {
		if whole, ok := strings.CutSuffix(of, level); ok {
			return strings.HasPrefix(region, whole)
		}
	}
	return region == of
}

// Run exports.
func (v exportVerb) Run(ctx context.Context, w *world) error {
	if v.Region != "" && (len(v.Region) != 6 || strings.Trim(v.Region, "0123456789") != "") {
		return errors.New("--region: should be a six-digit GB/T 2260 code, such as 430000 (Hunan), 430200 (Zhuzhou) or 430225 (Yanling)")
	}
	return withDatabase(ctx, w, func(s settings, db *database) (err error) {
		if v.Region != "" && !within(v.Region, s.Region) {
			return fmt.Errorf("--region: %s does not lie in %s, which NONGXUN_REGION says is this bureau's", v.Region, s.Region)
		}
		mask := people.Mask
		if v.Unmasked {
			mask = func(s string) string { return s }
			if err = people.Audit(ctx, db.pool, "export_unmasked", v.Kind, time.Now()); err != nil {
				return err
			}
		}
		out := w.stdout
		if v.Output != "" {
			f, err := os.OpenFile(v.Output, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
			if err != nil {
				return fmt.Errorf("--output: %w", err)
			}
			defer func() { err = errors.Join(err, f.Close()) }()
			out = f
		}
		e := exporters()[v.Kind]
		if v.Format == "jsonl" {
			return e.each(ctx, db, v, mask, jsonLines(out))
		}
		t, err := tables.NewWriter(v.Format, out, e.header)
		if err != nil {
			return err
		}
		return errors.Join(e.each(ctx, db, v, mask, spreadsheet(t)), t.Close())
	})
}

// output takes a row as the object of a JSON line and as the cells of a table; it uses one of them.
type output func(object any, cells ...any) error

func jsonLines(w io.Writer) output {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return func(object any, _ ...any) error { return enc.Encode(object) }
}

func spreadsheet(t tables.Writer) output {
	return func(_ any, cells ...any) error { return t.Row(cells...) }
}

type exportedQuantity struct {
	Min   *reading.Milli `json:"min"`
	Max   *reading.Milli `json:"max"`
	Unit  string         `json:"unit"`
	KgMin *reading.Milli `json:"kg_min"`
	KgMax *reading.Milli `json:"kg_max"`
}

type exportedPrice struct {
	Min          *reading.Milli `json:"min"`
	Max          *reading.Milli `json:"max"`
	Unit         *string        `json:"unit"`
	YuanPerKgMin *reading.Milli `json:"yuan_per_kg_min"`
	YuanPerKgMax *reading.Milli `json:"yuan_per_kg_max"`
	Negotiable   bool           `json:"negotiable"`
}

type exportedPlace struct {
	Code *string `json:"code"`
	Name string  `json:"name"`
}

type exportedWindow struct {
	From *string `json:"from"`
	To   *string `json:"to"`
}

type exportedListing struct {
	ID        int64             `json:"id"`
	Kind      reading.Intent    `json:"kind"`
	Status    market.Status     `json:"status"`
	Product   string            `json:"product"`
	Variety   *string           `json:"variety"`
	Quantity  *exportedQuantity `json:"quantity"`
	Price     *exportedPrice    `json:"price"`
	Origin    *exportedPlace    `json:"origin"`
	Available *exportedWindow   `json:"available"`
	Glut      bool              `json:"glut"`
	Channel   string            `json:"channel"`
	Contact   string            `json:"contact"`
	CreatedAt time.Time         `json:"created_at"`
}

func exportListings(ctx context.Context, db *database, v exportVerb, mask func(string) string, w output) error {
	status := map[market.Status]string{market.Open: "有效", market.Sold: "已卖完", market.Withdrawn: "已撤回", market.Expired: "已过期"}
	return market.Each(ctx, db.pool, market.Filter{Region: v.Region}, func(l market.Listing) error {
		e := exportedListing{
			ID: l.ID, Kind: l.Kind, Status: l.Status, Product: l.Lot.Product, Variety: l.Lot.Variety, Glut: l.Glut, Channel: l.Channel,
			Contact: mask(l.Address), CreatedAt: l.CreatedAt,
		}
		variety, code := "", ""
		if l.Lot.Variety != nil {
			variety = *l.Lot.Variety
		}
		if q := l.Lot.Quantity; q != nil {
			e.Quantity = &exportedQuantity{Min: q.Min, Max: q.Max, Unit: q.Unit}
			if q.Kg != nil {
				e.Quantity.KgMin, e.Quantity.KgMax = q.Kg.Min, q.Kg.Max
			}
		}
		if p := l.Lot.Price; p != nil {
			e.Price = &exportedPrice{Min: p.Min, Max: p.Max, Unit: p.Unit, Negotiable: p.Negotiable}
			if p.YuanPerKg != nil {
				e.Price.YuanPerKgMin, e.Price.YuanPerKgMax = p.YuanPerKg.Min, p.YuanPerKg.Max
			}
		}
		if o := l.Lot.Origin; o != nil {
			e.Origin = &exportedPlace{Code: o.Code, Name: writing.Place(o)}
			if o.Code != nil {
				code = *o.Code
			}
		}
		when := ""
		if a := l.Lot.Available; a != nil {
			e.Available, when = &exportedWindow{From: a.From, To: a.To}, a.Text
		}
		return w(e, id(l.ID), writing.Trade(l.Kind), status[l.Status], l.Lot.Product, variety, writing.Quantity(l.Lot.Quantity), writing.Price(l.Lot.Price),
			writing.Place(l.Lot.Origin), code, when, l.Channel, e.Contact, local(l.CreatedAt))
	})
}

type exportedSignup struct {
	ID           int64     `json:"id"`
	Fair         string    `json:"fair"`
	Merchant     string    `json:"merchant"`
	MerchantType string    `json:"merchant_type"`
	Name         string    `json:"name"`
	Region       string    `json:"region"`
	Products     []string  `json:"products"`
	Phone        string    `json:"phone"`
	Channel      string    `json:"channel"`
	CreatedAt    time.Time `json:"created_at"`
}

func exportSignups(ctx context.Context, db *database, v exportVerb, mask func(string) string, w output) error {
	lex, err := lexicon.Default()
	if err != nil {
		return err
	}
	return fair.Each(ctx, db.pool, fair.Filter{Region: v.Region}, func(s fair.SignUp) error {
		e := exportedSignup{
			ID: s.ID, Fair: s.Fair, Merchant: mask(s.Address), MerchantType: s.MerchantType, Name: s.Name, Region: s.County, Products: s.Products,
			Phone: mask(s.Phone), Channel: s.Channel, CreatedAt: s.CreatedAt,
		}
		return w(e, id(s.ID), s.Fair, s.Name, writing.Merchant(s.MerchantType), lex.RegionName(s.County), s.County, strings.Join(s.Products, "、"),
			e.Phone, s.Channel, local(s.CreatedAt))
	})
}

func exportContacts(ctx context.Context, db *database, v exportVerb, mask func(string) string, w output) error {
	return people.Each(ctx, db.pool, v.Region, func(c people.Record) error {
		c.Phone, c.Address = mask(c.Phone), mask(c.Address)
		return w(c, id(c.ID), c.Name, writing.Merchant(c.MerchantType), c.County, c.Phone, strings.Join(c.Products, "、"), yes(c.OptedOut), yes(c.NeedsPerson), local(c.CreatedAt))
	})
}

func exportMessages(ctx context.Context, db *database, v exportVerb, mask func(string) string, w output) error {
	return inbox.Each(ctx, db.pool, v.Region, func(m inbox.Record) error {
		m.Contact, m.Text, m.Answer = mask(m.Contact), v.hidden(m.Text), v.hidden(m.Answer)
		return w(m, id(m.ID), m.Channel, m.Contact, m.Text, m.Answer, m.Intent, m.State, local(m.ReceivedAt))
	})
}

func exportDeliveries(ctx context.Context, db *database, v exportVerb, mask func(string) string, w output) error {
	return outbox.Each(ctx, db.pool, v.Region, time.Time{}, func(r outbox.Record) error {
		if r.Contact = mask(r.Contact); !v.Unmasked { // keys of texts over a carrier's line hold the phone
			r.Cause = mobile.ReplaceAllStringFunc(r.Cause, people.Mask)
		}
		parts := ""
		if r.Parts > 0 {
			parts = strconv.Itoa(r.Parts)
		}
		return w(r, id(r.ID), r.Channel, r.Contact, r.Kind, string(r.State), string(r.Reason), r.Attempts, local(r.CreatedAt), localOr(r.SentAt), r.Broadcast,
			r.Road, localOr(r.ReceiptAt), parts, r.Code, r.State.Label(), r.Reason.Label(), r.Cause)
	})
}

// localOr is local of a time that may be missing.
func localOr(t *time.Time) string {
	if t == nil {
		return ""
	}
	return local(*t)
}

func id(n int64) string { return strconv.FormatInt(n, 10) }

func yes(b bool) string {
	if b {
		return "是"
	}
	return ""
}

// local is a time as a clerk reads it.
func local(t time.Time) string {
	return t.In(time.FixedZone("CST", 8*3600)).Format("2006-01-02 15:04")
}
