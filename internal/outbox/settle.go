package outbox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/pg"
)

const (
	// settleBatch is how many receipts are given effect in one transaction.
	settleBatch = 1000
	// patience is how long a receipt waits for an attempt that it fits.
	patience = 72 * time.Hour
)

// openReceipt is a receipt that has had no effect yet.
type openReceipt struct {
	id                   int64
	receivedAt           time.Time
	provider, providerID string
	address, ref         string
	shared, ok           bool
	code                 string
	at                   time.Time
	submittedAt          *time.Time // nil: not said
	parts                int
	attempt              attemptID // that its reference names; zero: none of ours
}

// key is the message that the provider speaks of.
func (r openReceipt) key() string { return r.provider + " " + r.providerID + " " + r.address }

// known is an attempt that a receipt may speak of.
type known struct {
	attemptID
	address    string
	lead       attemptID // of its call
	provider   string
	providerID string
	ref        string
	open       bool // the call's answer has not been noted yet
}

const knownColumns = `a.delivery_id, a.try, a.address, coalesce(a.lead, 0), coalesce(a.lead_try, 0),
	coalesce(nullif(a.provider, ''), c.provider, ''), coalesce(nullif(a.provider_id, ''), c.provider_id, ''), a.ref,
	coalesce(c.closed_at, a.closed_at) IS NULL
FROM attempt a LEFT JOIN call c ON c.lead = a.lead AND c.lead_try = a.lead_try `

// settle gives effect to stored receipts whose attempt is closed, and says whether there may be more. A receipt that fits nothing yet is
// looked at again, ever more rarely; after three days it is let go.
func (o *Outbox) settle(ctx context.Context) (more bool, err error) {
	now := o.now()
	o.reach("settle:begin")
	err = pg.InTx(ctx, o.Pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT id, received_at, provider, provider_id, address, ref, shared, ok, code, at, submitted_at, parts, coalesce(delivery_id, 0), coalesce(try, 0)
FROM receipt WHERE settled_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2 FOR UPDATE SKIP LOCKED`, now, settleBatch)
		if err != nil {
			return err
		}
		open, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r openReceipt, err error) {
			return r, row.Scan(&r.id, &r.receivedAt, &r.provider, &r.providerID, &r.address, &r.ref, &r.shared, &r.ok, &r.code, &r.at, &r.submittedAt, &r.parts,
				&r.attempt.delivery, &r.attempt.try)
		})
		if err != nil || len(open) == 0 {
			return err
		}
		more = len(open) == settleBatch
		s := settling{tx: tx, open: open}
		if err := s.load(ctx); err != nil {
			return err
		}
		if err := s.loadLost(ctx, now, o.timing.lost); err != nil {
			return err
		}
		return s.store(ctx, now)
	})
	if err != nil {
		return false, fmt.Errorf("outbox: settle: %w", err)
	}
	o.reach("settle:end")
	return more, nil
}

// settling pairs a batch of receipts with attempts.
type settling struct {
	tx     pgx.Tx
	open   []openReceipt
	byID   map[attemptID]known
	byCall map[attemptID][]known // members by lead
	byRef  map[string][]known    // of the provider: "provider id"
	lost   map[string][]known    // whose answer was lost, by the key of the receipt that found them
}

// load finds the attempts that the receipts may speak of: those that their references name, all of the calls that these belong to, and
// those of the providers' ids.
func (s *settling) load(ctx context.Context) error {
	s.byID, s.byCall, s.byRef = map[attemptID]known{}, map[attemptID][]known{}, map[string][]known{}
	named, ids := map[attemptID]bool{}, map[string]bool{}
	var refs []string
	for _, r := range s.open {
		switch {
		case r.attempt.delivery != 0:
			named[r.attempt] = true
		case r.ref != "":
			refs = append(refs, r.ref)
		}
		if r.providerID != "" {
			ids[r.providerID] = true
		}
	}
	deliveries, tries := split(slices.Collect(maps.Keys(named)))
	direct, err := s.query(ctx, `JOIN unnest($1::bigint[], $2::int[]) AS u (id, try) ON a.delivery_id = u.id AND a.try = u.try`, deliveries, tries)
	if err != nil {
		return err
	}
	if len(refs) > 0 { // of the version before, and of parts of a mass send
		older, err := s.query(ctx, `WHERE a.ref <> '' AND a.ref = ANY ($1)`, refs)
		if err != nil {
			return err
		}
		for _, k := range older {
			s.byRef["ref "+k.ref] = append(s.byRef["ref "+k.ref], k)
		}
	}
	calls := map[attemptID]bool{}
	for _, k := range direct {
		s.byID[k.attemptID] = k
		calls[k.lead] = true
	}
	leads, leadTries := split(slices.Collect(maps.Keys(calls)))
	members, err := s.query(ctx, `JOIN call m ON m.lead = c.lead AND m.lead_try = c.lead_try
JOIN (SELECT x.lead, x.lead_try, unnest(x.deliveries) AS id FROM call x JOIN unnest($1::bigint[], $2::int[]) AS u (lead, try) ON x.lead = u.lead AND x.lead_try = u.try) e
	ON a.delivery_id = e.id AND a.lead = e.lead AND a.lead_try = e.lead_try`, leads, leadTries)
	if err != nil {
		return err
	}
	for _, k := range members {
		s.byCall[k.lead] = append(s.byCall[k.lead], k)
	}
	return s.loadByProvider(ctx, slices.Collect(maps.Keys(ids)))
}

func (s *settling) loadByProvider(ctx context.Context, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	ofCalls, err := s.query(ctx, `JOIN (SELECT x.lead, x.lead_try, unnest(x.deliveries) AS id FROM call x WHERE x.provider_id <> '' AND x.provider_id = ANY ($1)) e
	ON a.delivery_id = e.id AND a.lead = e.lead AND a.lead_try = e.lead_try WHERE a.provider_id = ''`, ids)
	if err != nil {
		return err
	}
	own, err := s.query(ctx, `WHERE a.provider_id <> '' AND a.provider_id = ANY ($1)`, ids)
	if err != nil {
		return err
	}
	for _, k := range append(ofCalls, own...) {
		key := k.provider + " " + k.providerID
		s.byRef[key] = append(s.byRef[key], k)
	}
	return nil
}

func (s *settling) query(ctx context.Context, where string, args ...any) ([]known, error) {
	rows, err := s.tx.Query(ctx, `SELECT `+knownColumns+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (k known, err error) {
		return k, row.Scan(&k.delivery, &k.try, &k.address, &k.lead.delivery, &k.lead.try, &k.provider, &k.providerID, &k.ref, &k.open)
	})
}

func split(as []attemptID) (deliveries []int64, tries []int32) {
	deliveries, tries = make([]int64, len(as)), make([]int32, len(as))
	for i, a := range as {
		deliveries[i], tries[i] = a.delivery, int32(a.try)
	}
	return deliveries, tries
}

// fits are the attempts that a receipt speaks of: by our own reference, by that of the call that they shared and the phone, else by the
// provider's id and the address. Several deliveries that went in one text have one receipt.
func (s *settling) fits(r openReceipt) []known {
	k, named := s.byID[r.attempt]
	switch {
	case named && (r.shared || r.address == "" || r.address == k.address):
		address := r.address
		if !r.shared {
			address = k.address
		}
		if fit := at(s.byCall[k.lead], address); len(fit) > 0 {
			return fit
		}
		if !r.shared {
			return []known{k}
		}
	case r.ref != "" && r.attempt.delivery == 0:
		if fit := at(s.byRef["ref "+r.ref], r.address); len(fit) > 0 {
			return fit
		}
	}
	return at(s.byRef[r.provider+" "+r.providerID], r.address)
}

// at are those at an address; "" is any.
func at(ks []known, address string) []known {
	if address == "" {
		return ks
	}
	return slices.DeleteFunc(slices.Clone(ks), func(k known) bool { return k.address != address })
}

// store changes deliveries, notes the receipts on their attempts, and puts off those that fit nothing that is closed.
func (s *settling) store(ctx context.Context, now time.Time) error {
	events := map[int64][]event{}
	var settled, later []int64
	var due []time.Time
	var b pgx.Batch
	var ids []int64
	var tries, parts []int32
	var codes []string
	var oks []bool
	var ats []time.Time
	for _, r := range s.open {
		fit := s.fits(r)
		if found := s.lost[r.key()]; len(fit) == 0 && len(found) > 0 {
			fit = found
			queueFound(&b, r, found)
		}
		age := now.Sub(r.receivedAt)
		if len(fit) == 0 || slices.ContainsFunc(fit, func(k known) bool { return k.open }) {
			if age > patience {
				settled = append(settled, r.id)
				continue
			}
			wait := max(age, 250*time.Millisecond)
			if len(fit) > 0 {
				wait = min(wait, time.Second) // its call is being answered
			}
			later, due = append(later, r.id), append(due, now.Add(min(wait, time.Hour)))
			continue
		}
		settled = append(settled, r.id)
		for _, k := range fit {
			events[k.delivery] = append(events[k.delivery], receiptEvent(r.ok, r.code, r.at, k.try))
			ids, tries, parts = append(ids, k.delivery), append(tries, int32(k.try)), append(parts, int32(r.parts))
			codes, oks, ats = append(codes, r.code), append(oks, r.ok), append(ats, r.at)
		}
	}
	if err := apply(ctx, s.tx, events); err != nil {
		return err
	}
	if len(settled) > 0 {
		b.Queue(`UPDATE receipt SET settled_at = $2 WHERE id = ANY ($1)`, settled, now)
	}
	if len(later) > 0 {
		b.Queue(`UPDATE receipt r SET due_at = u.due FROM unnest($1::bigint[], $2::timestamptz[]) AS u (id, due) WHERE r.id = u.id`, later, due)
	}
	if len(ids) > 0 {
		b.Queue(`UPDATE attempt a SET receipt_at = u.at, parts = greatest(a.parts, u.parts), code = CASE WHEN a.code = '' OR u.ok THEN u.code ELSE a.code END
FROM unnest($1::bigint[], $2::int[], $3::int[], $4::text[], $5::boolean[], $6::timestamptz[]) AS u (id, try, parts, code, ok, at)
WHERE a.delivery_id = u.id AND a.try = u.try`, ids, tries, parts, codes, oks, ats)
	}
	return s.tx.SendBatch(ctx, &b).Close()
}
