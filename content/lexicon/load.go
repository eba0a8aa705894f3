package lexicon

import (
	"bytes"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

//go:embed data/*.csv
var data embed.FS

// Default reads the lexicon that comes with the program. It takes some tens of milliseconds: call it once and keep it. An
// error means that a data file is broken and names the line.
func Default() (*Lexicon, error) {
	var (
		products  []Product
		regions   []Region
		townships []Township
		villages  = map[string][]string{}
	)
	byName := map[string]int{}
	product := func(f []string) {
		i, known := byName[f[0]]
		if !known {
			i = len(products)
			byName[f[0]] = i
			products = append(products, Product{Name: f[0], Category: f[1], Unit: f[2], Live: f[3] == "live", Months: f[4]})
		}
		products[i].Varieties = append(products[i].Varieties, list(f[5])...)
		products[i].Aliases = append(products[i].Aliases, list(f[6])...)
	}
	err := errors.Join(
		each("products.csv", 7, product),
		each("products_more.csv", 7, product),
		each("regions.csv", 8, func(f []string) {
			r := Region{Code: f[0], Name: f[1], Short: list(f[2]), Parent: f[3], ValidFrom: f[6]}
			r.Former = append(list(f[4]), list(f[5])...)
			regions = append(regions, r)
		}),
		each("townships.csv", 3, func(f []string) {
			townships = append(townships, Township{County: f[0], Name: f[1], Former: f[2] == "2015"})
		}),
		each("villages.csv", 2, func(f []string) {
			names := strings.Split(f[1], " ")
			slices.Sort(names)
			villages[f[0]] = names
		}),
	)
	if err != nil {
		return nil, err
	}
	l := newLexicon(products, regions, townships, villages)
	l.signs, err = loadSigns()
	return l, err
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "|")
}

// each calls fn for every line of a data file after its heading.
func each(name string, fields int, fn func([]string)) error {
	raw, err := data.ReadFile("data/" + name)
	if err != nil {
		return fmt.Errorf("lexicon: %w", err)
	}
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord, r.ReuseRecord, r.Comment = fields, true, '#'
	for first := true; ; first = false {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("lexicon: %s: %w", name, err)
		}
		if !first {
			fn(f)
		}
	}
}
