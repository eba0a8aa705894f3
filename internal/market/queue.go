package market

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/content/reading"
)

// The columns of a new listing that all lots of a message share ($1 to $8) and those that each lot has of its own.
const sharedColumns = `contact_id, message_id, kind, glut, channel, phone, created_at, updated_at`

var (
	ownNames     = slices.Concat([]string{"lot_no", "region"}, productNames, quantityNames, priceNames, originNames, windowNames)
	insertPrefix = `INSERT INTO listing (` + sharedColumns + `, ` + strings.Join(ownNames, `, `) + `) VALUES `
	insertOne    = insertSQL(1)
)

const (
	sharedValues = `($1, $2, $3, $4, $5, $6, $7, $7`
	sharedCount  = 7
	lotsAtOnce   = 1000 // PostgreSQL takes 65,535 parameters
)

// QueueAdd queues one statement that stores a listing for each lot of a message, numbered in this order. A message that is
// handled again adds nothing. phone is the number to call that the message gave, or ""; county is the contact's own, for the
// lots that name no place with a code. Texts must be valid UTF-8 without NUL.
func QueueAdd(b *pgx.Batch, contactID, messageID int64, channel string, kind reading.Intent, lots []reading.Lot, phone string, glut bool, county string, at time.Time) {
	QueueAddAfter(b, 0, contactID, messageID, channel, kind, lots, phone, glut, county, at)
}

// QueueAddAfter is QueueAdd for a message of which as many as before lots are stored already: those that it sells, where these are wanted.
func QueueAddAfter(b *pgx.Batch, before int, contactID, messageID int64, channel string, kind reading.Intent, lots []reading.Lot, phone string, glut bool, county string, at time.Time) {
	lots = lots[:min(len(lots), lotsAtOnce)]
	if len(lots) == 0 {
		return
	}
	args := make([]any, 0, sharedCount+len(lots)*len(ownNames))
	args = append(args, contactID, messageID, string(kind), glut, channel, phone, at)
	for i, lot := range lots {
		region := regionOf(lot.Origin)
		if region == "" {
			region = county
		}
		args = append(args, int16(before+i+1), region, lot.Product, lot.Variety)
		args = append(args, quantityValues(lot.Quantity)...)
		args = append(args, priceValues(lot.Price)...)
		args = append(args, originValues(lot.Origin)...)
		args = append(args, windowValues(lot.Available)...)
	}
	if len(lots) == 1 {
		b.Queue(insertOne, args...)
		return
	}
	b.Queue(insertSQL(len(lots)), args...)
}

// insertSQL has its parameters in the order of QueueAdd. Each number of lots is a statement of its own, prepared once.
func insertSQL(lots int) string {
	var s strings.Builder
	s.WriteString(insertPrefix)
	next := sharedCount + 1
	for i := range lots {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(sharedValues)
		for range ownNames {
			s.WriteString(", $" + strconv.Itoa(next))
			next++
		}
		s.WriteByte(')')
	}
	s.WriteString(` ON CONFLICT (message_id, lot_no) DO NOTHING`)
	return s.String()
}

// Edit holds the parts of a listing to replace; nil leaves a part as it is.
type Edit struct {
	Quantity  *reading.Quantity
	Price     *reading.Price
	Origin    *reading.Place
	Available *reading.Window
}

// QueueEdit queues the replacement of parts of an open listing. A listing of another contact is not touched.
func QueueEdit(b *pgx.Batch, contactID, id int64, e Edit, at time.Time) {
	args := []any{contactID, id, at}
	var set strings.Builder
	replace := func(names []string, values []any) {
		for i, name := range names {
			args = append(args, values[i])
			set.WriteString(", " + name + " = $" + strconv.Itoa(len(args)))
		}
	}
	if e.Quantity != nil {
		replace(quantityNames, quantityValues(e.Quantity))
	}
	if e.Price != nil {
		replace(priceNames, priceValues(e.Price))
	}
	if e.Origin != nil {
		replace(originNames, originValues(e.Origin))
		if region := regionOf(e.Origin); region != "" {
			replace([]string{"region"}, []any{region})
		}
	}
	if e.Available != nil {
		replace(windowNames, windowValues(e.Available))
	}
	if set.Len() == 0 {
		return
	}
	b.Queue(`UPDATE listing SET updated_at = $3`+set.String()+mineSQL, args...)
}

const mineSQL = ` WHERE contact_id = $1 AND id = $2 AND status = 'open'`

// QueueClose queues the end of an open listing of this contact: sold when the goods are gone, else withdrawn.
func QueueClose(b *pgx.Batch, contactID, id int64, sold bool, at time.Time) {
	status := Withdrawn
	if sold {
		status = Sold
	}
	b.Queue(`UPDATE listing SET updated_at = $3, closed_at = $3, status = $4`+mineSQL, contactID, id, at, string(status))
}

// QueueConfirm queues the note that the contact said that its open listing is right.
func QueueConfirm(b *pgx.Batch, contactID, id int64, at time.Time) {
	b.Queue(`UPDATE listing SET confirmed_at = $3`+mineSQL, contactID, id, at)
}
