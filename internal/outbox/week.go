package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// blockSize is how many people share a row of push_block.
const blockSize = 64

// MostPushes is what a person's pushes of a week are counted to, a byte of push_block: no cap can be higher.
const MostPushes = 255

// pushedSQL is the pushes of contact c in the week $6, for plan; NULL is none.
const pushedSQL = `(SELECT get_byte(pushes, (c.id % 64)::int) FROM push_block WHERE week = $6::date AND block = c.id / 64)`

// weekCounts are the pushes of a week of the people of a claim. Their rows are locked until the claim ends.
type weekCounts struct {
	week   time.Time
	blocks map[int64][]byte
	before map[int64][]byte
}

// lockWeek reads how many pushes people were sent in a week.
func lockWeek(ctx context.Context, tx pgx.Tx, week time.Time, contacts []int64) (*weekCounts, error) {
	w := &weekCounts{week: week, blocks: map[int64][]byte{}, before: map[int64][]byte{}}
	for _, c := range contacts {
		w.blocks[c/blockSize] = nil
	}
	blocks := slices.Sorted(maps.Keys(w.blocks)) // two replicas lock them in one order
	for len(w.before) < len(blocks) {
		rows, err := tx.Query(ctx, `SELECT block, pushes FROM push_block WHERE week = $1::date AND block = ANY ($2) ORDER BY block FOR UPDATE`, week, blocks)
		if err != nil {
			return nil, fmt.Errorf("pushes of the week: %w", err)
		}
		var block int64
		var pushes []byte
		if _, err := pgx.ForEachRow(rows, []any{&block, &pushes}, func() error {
			w.blocks[block], w.before[block] = slices.Clone(pushes), slices.Clone(pushes)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("pushes of the week: %w", err)
		}
		if len(w.before) == len(blocks) {
			break
		}
		// The first pushes of the week to somebody of a block.
		if _, err := tx.Exec(ctx, `INSERT INTO push_block (week, block, pushes) SELECT $1::date, u, $3 FROM unnest($2::bigint[]) AS u ON CONFLICT DO NOTHING`,
			week, blocks, make([]byte, blockSize)); err != nil {
			return nil, fmt.Errorf("pushes of the week: %w", err)
		}
	}
	return w, nil
}

// of is where a person's count stands.
func (w *weekCounts) of(contact int64) *byte { return &w.blocks[contact/blockSize][contact%blockSize] }

// queueStore stores what has changed.
func (w *weekCounts) queueStore(b *pgx.Batch) {
	var blocks []int64
	var pushes [][]byte
	for block, now := range w.blocks {
		if !slices.Equal(now, w.before[block]) {
			blocks, pushes = append(blocks, block), append(pushes, now)
		}
	}
	if len(blocks) > 0 {
		b.Queue(`UPDATE push_block p SET pushes = u.pushes FROM unnest($2::bigint[], $3::bytea[]) AS u (block, pushes) WHERE p.week = $1::date AND p.block = u.block`,
			w.week, blocks, pushes)
	}
}

// queueAddWeeks adds the pushes of each week of one person to those of another, or, by -1, takes them off again.
func queueAddWeeks(b *pgx.Batch, from, into int64, times int) {
	b.Queue(`INSERT INTO push_block (week, block, pushes) SELECT week, $2, $3 FROM push_block WHERE block = $1 ON CONFLICT DO NOTHING`,
		from/blockSize, into/blockSize, make([]byte, blockSize))
	b.Queue(`UPDATE push_block p SET pushes = set_byte(p.pushes, $4, least($6, greatest(0, get_byte(p.pushes, $4) + $5 * get_byte(f.pushes, $2))))
FROM push_block f WHERE f.block = $1 AND p.block = $3 AND p.week = f.week`,
		from/blockSize, from%blockSize, into/blockSize, into%blockSize, times, MostPushes)
}

// takeWeek counts the pushes of the week, those that go for the first time, and skips what is over the person's cap.
func (p *claiming) takeWeek(ctx context.Context) error {
	limit := p.o.weeklyCap(p.due[0].Class)
	if limit == 0 {
		return nil
	}
	var contacts []int64
	for i, d := range p.due {
		if p.goes(i) && d.Tries == 0 {
			contacts = append(contacts, d.ContactID)
		}
	}
	if len(contacts) == 0 {
		return nil
	}
	var err error
	if p.week, err = lockWeek(ctx, p.tx, monday(p.at), contacts); err != nil {
		return err
	}
	for i, d := range p.due {
		if !p.goes(i) || d.Tries > 0 {
			continue
		}
		switch n := p.week.of(d.ContactID); {
		case int(*n) >= limit:
			p.events[i] = event{what: hapSkip, at: p.at, reason: WeeklyCap}
		case *n < MostPushes:
			*n++
			p.counted[i] = true
		}
	}
	return nil
}

// storeWeek stores the counts of those that go after all.
func (p *claiming) storeWeek() {
	if p.week == nil {
		return
	}
	for i, d := range p.due {
		if p.counted[i] && !p.goes(i) {
			*p.week.of(d.ContactID)--
		}
	}
	p.week.queueStore(&p.batch)
}
