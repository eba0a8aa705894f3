package outbox

import "github.com/jackc/pgx/v5"

// Merged is the reason of a delivery that the same person gets, or got, at another address.
const Merged Reason = "merged"

// QueueMerge queues the move of what is not over for a contact to the person that it turned out to be: what waits, is on its way, is in doubt
// or may be tried again. Once a cause and person: of what waits for both the contact's is skipped, and the person's of what has reached the
// contact (a promotion: may have reached). What the person had no road for goes by the phone after all. What was sent stays with whom it was
// sent to. The pushes of the week are counted together.
func QueueMerge(b *pgx.Batch, from, into int64) {
	b.Queue(`UPDATE delivery p SET state = 'queued', reason = '', rung = d.rung, due_at = d.due_at, sent_at = NULL, again = '' FROM delivery d
WHERE d.contact_id = $1 AND d.state = 'queued' AND p.contact_id = $2 AND p.cause = d.cause AND p.channel = d.channel
	AND (p.state = 'failed' OR p.state = 'skipped' AND p.reason IN ('no_credit', 'no_road', 'unfollowed', 'blocked', 'template_stopped', 'not_delivered'))`, from, into)
	b.Queue(`UPDATE delivery d SET state = 'skipped', reason = $3 WHERE d.contact_id = $1 AND d.state = 'queued'
AND EXISTS (SELECT FROM delivery p WHERE p.contact_id = $2 AND p.cause = d.cause)`, from, into, Merged)
	b.Queue(`UPDATE delivery p SET state = 'skipped', reason = $3 WHERE p.contact_id = $2 AND p.state = 'queued'
AND EXISTS (SELECT FROM delivery d WHERE d.contact_id = $1 AND d.cause = p.cause
	AND (d.state IN ('sent', 'delivered') OR d.class = 2 AND d.state IN ('sending', 'unknown')))`, from, into, Merged)
	b.Queue(`UPDATE delivery d SET contact_id = $2, merged_from = $1,
	rung = CASE WHEN d.state = 'queued' AND d.channel = '' AND d.again = '' THEN 0 ELSE d.rung END WHERE d.contact_id = $1 AND d.state IN ('queued', 'sending', 'unknown', 'failed')
AND NOT EXISTS (SELECT FROM delivery p WHERE p.contact_id = $2 AND p.cause = d.cause)`, from, into)
	queueAddWeeks(b, from, into, 1)
}

// QueueSplit undoes QueueMerge: what had moved and is still not over goes back, as it is now, and so does what the contact was pushed before.
// Where keep is true only texts go back: without the phone the person cannot get them.
func QueueSplit(b *pgx.Batch, from, into int64, keep bool) {
	b.Queue(`UPDATE delivery p SET contact_id = $1, merged_from = NULL WHERE p.contact_id = $2 AND p.merged_from = $1
AND p.state IN ('queued', 'sending', 'unknown', 'failed') AND (NOT $3 OR p.channel = 'sms')
AND NOT EXISTS (SELECT FROM delivery d WHERE d.contact_id = $1 AND d.cause = p.cause)`, from, into, keep)
	b.Queue(`UPDATE delivery SET merged_from = NULL WHERE contact_id = $2 AND merged_from = $1`, from, into)
	queueAddWeeks(b, from, into, -1)
}

// queueLeft lets a person have what was given up for the sake of a contact that has not got it after all: its text was on its way when
// the two were bound, and was not taken.
func (p *claiming) queueLeft() {
	var ids []int64
	for i, d := range p.due {
		if p.events[i].what == hapSkip && p.events[i].reason == Merged {
			ids = append(ids, d.ID)
		}
	}
	if len(ids) > 0 {
		p.batch.Queue(`UPDATE delivery p SET state = 'queued', reason = '' FROM delivery d JOIN contact c ON c.id = d.contact_id
WHERE d.id = ANY ($1) AND p.contact_id = c.merged_into AND p.cause = d.cause AND p.state = 'skipped' AND p.reason = $2`, ids, Merged)
	}
}
