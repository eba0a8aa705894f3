package lexicon

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

//go:embed data/*.csv
var data embed.FS

// Default reads the lexicon that comes with the program. It takes some tens of milliseconds: call it once and keep it. An
// error means that a data file is broken and names the line.
func Default() (*Lexicon, error) {
	l := &Lexicon{others: map[string][]string{}, villages: map[string][]string{}}
	err := errors.Join(
		each("products.csv", "名称,类别,单位,活物,上市月份,常见价格,别名,品种,不能买卖", func(f []string) error {
			p, err := product(f)
			l.products = append(l.products, p)
			return err
		}),
		each("indications.csv", "名称,产品,产地,产地代码,登记", func(f []string) error {
			l.indications = append(l.indications, Indication{Name: f[0], Product: f[1], Places: list(f[3]), Registers: list(f[4])})
			return nil
		}),
		each("ambiguous.csv", "名称,默认,也指", func(f []string) error {
			l.others[f[0]] = list(f[2])
			return nil
		}),
		each("regions.csv", "代码,名称,简称,上级,曾用名,曾用代码,生效,说明", func(f []string) error {
			since, err := day(f[6])
			l.regions = append(l.regions, Region{
				Code: f[0], Name: f[1], Short: list(f[2]), Parent: f[3], Former: slices.Concat(list(f[4]), list(f[5])), ValidFrom: since,
			})
			return err
		}),
		each("townships.csv", "县区代码,名称,版本", func(f []string) error {
			l.townships = append(l.townships, Township{County: f[0], Name: f[1], Former: f[2] == "2015"})
			return nil
		}),
		each("villages.csv", "县区代码,村名", func(f []string) error {
			names := strings.Split(f[1], " ")
			slices.Sort(names)
			l.villages[f[0]] = names
			return nil
		}),
	)
	if err != nil {
		return nil, err
	}
	l.index()
	l.signs, err = loadSigns()
	return l, err
}

// product reads a line of products.csv.
func product(f []string) (Product, error) {
	p := Product{Name: f[0], Category: f[1], Units: list(f[2]), Live: f[3] == "是", Aliases: list(f[6]), Varieties: list(f[7]), Banned: f[8]}
	if len(p.Units) == 0 || p.Name == "" {
		return p, errors.New("名称 and 单位 must not be empty")
	}
	p.Unit = p.Units[0]
	var bad, err error
	p.Months, bad = months(f[4])
	p.Price, err = priceRange(f[5])
	return p, errors.Join(bad, err)
}

// list reads a cell of several values, as a clerk writes them: 桔子、橘子、柑子.
func list(cell string) []string {
	if cell == "" {
		return nil
	}
	return strings.Split(cell, "、")
}

// months reads 11月至3月 or 7月 and gives 11-3, 7. Excel would make a date of 11-3, so it does not stand in the file.
func months(cell string) (string, error) {
	if cell == "" {
		return "", nil
	}
	first, last, span := strings.Cut(cell, "至")
	if !span {
		last = first
	}
	from, err := month(first)
	to, bad := month(last)
	if err = errors.Join(err, bad); err != nil {
		return "", err
	}
	if from == to {
		return strconv.Itoa(from), nil
	}
	return fmt.Sprintf("%d-%d", from, to), nil
}

func month(s string) (int, error) {
	digits, ok := strings.CutSuffix(s, "月")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || n > 12 {
		return 0, fmt.Errorf("上市月份 %q: write it as 7月 or 11月至3月", s)
	}
	return n, nil
}

// priceRange reads 0.8-3元/斤.
func priceRange(cell string) (PriceRange, error) {
	if cell == "" {
		return PriceRange{}, nil
	}
	span, unit, _ := strings.Cut(cell, "元/")
	low, high, ok := strings.Cut(span, "-")
	lo, err := fen(low)
	hi, bad := fen(high)
	if err != nil || bad != nil || !ok || unit == "" || lo > hi {
		return PriceRange{}, fmt.Errorf("常见价格 %q: write it as 0.8-3元/斤", cell)
	}
	return PriceRange{Min: lo, Max: hi, Unit: unit}, nil
}

// fen reads yuan with at most two decimals.
func fen(yuan string) (int, error) {
	whole, part, _ := strings.Cut(yuan, ".")
	if len(part) > 2 {
		return 0, strconv.ErrSyntax
	}
	return strconv.Atoi(whole + (part + "00")[:2])
}

// day reads 2019-07-05, Excel's 2019/7/5, and 2019 alone.
func day(cell string) (string, error) {
	parts := strings.FieldsFunc(cell, func(r rune) bool { return r == '-' || r == '/' })
	if n := len(parts); n != 0 && n != 1 && n != 3 || n > 0 && len(parts[0]) != 4 {
		return "", fmt.Errorf("生效 %q: write it as 2019-07-05 or 2019", cell)
	}
	for i, p := range parts {
		if n, err := strconv.Atoi(p); err != nil || i > 0 && (n < 1 || n > 31) {
			return "", fmt.Errorf("生效 %q: write it as 2019-07-05 or 2019", cell)
		}
		if len(p) == 1 {
			parts[i] = "0" + p
		}
	}
	return strings.Join(parts, "-"), nil
}

// each calls fn for every line of a data file after its heading, which must be as given.
func each(name, heading string, fn func([]string) error) error {
	raw, err := data.ReadFile("data/" + name)
	if err != nil {
		return fmt.Errorf("lexicon: %w", err)
	}
	if err = eachLine(raw, heading, fn); err != nil {
		return fmt.Errorf("lexicon: %s: %w", name, err)
	}
	return nil
}

// eachLine reads a table as Excel saves it: UTF-8 with or without a byte order mark, lines ending in \n or \r\n.
func eachLine(raw []byte, heading string, fn func([]string) error) error {
	if !utf8.Valid(raw) {
		return errors.New("not UTF-8: in Excel save it as “CSV UTF-8(逗号分隔)”")
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(raw, []byte("\ufeff"))))
	r.FieldsPerRecord, r.ReuseRecord = strings.Count(heading, ",")+1, true
	for first := true; ; first = false {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if first {
			if got := strings.Join(f, ","); got != heading {
				return fmt.Errorf("the first line is %q, it must be %q", got, heading)
			}
			continue
		}
		if err = fn(f); err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("line %d (%s): %w", line, f[0], err)
		}
	}
}
