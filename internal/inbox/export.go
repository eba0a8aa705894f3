package inbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/nongxun/nongxun/internal/people"
)

// Record is a message as it is exported. Contact is whole: the exporter masks it.
type Record struct {
	ID         int64     `json:"id"`
	Channel    string    `json:"channel"`
	Contact    string    `json:"contact"`
	Event      string    `json:"event"`
	Text       string    `json:"text"`
	Answer     string    `json:"answer"`
	Intent     string    `json:"intent"`
	State      string    `json:"state"`
	Missing    int       `json:"missing,omitempty"` // parts of a long text that never came
	ReceivedAt time.Time `json:"received_at"`
}

// Each calls fn with every message of the contacts of a region (a GB/T 2260 code; "" is all), oldest first, as they stream from
// the database. Events that ask for no answer are left out.
func Each(ctx context.Context, q people.Querier, region string, fn func(Record) error) error {
	rows, err := q.Query(ctx, `SELECT m.id, m.channel, m.address, m.event, m.text, m.answer, m.intent, m.state, m.missing, m.received_at
FROM message m LEFT JOIN contact c ON c.id = m.contact_id
WHERE m.state <> 'ignored' AND coalesce(c.county, '') LIKE regexp_replace($1, '(00){1,2}$', '') || '%' ORDER BY m.id`, region)
	if err != nil {
		return err
	}
	var r Record
	to := []any{&r.ID, &r.Channel, &r.Contact, &r.Event, &r.Text, &r.Answer, &r.Intent, &r.State, &r.Missing, &r.ReceivedAt}
	_, err = pgx.ForEachRow(rows, to, func() error { return fn(r) })
	return err
}
