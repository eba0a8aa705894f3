package outbox

import "github.com/jackc/pgx/v5"

// Merged is the reason of a delivery that the same person gets at another address.
const Merged Reason = "merged"

// QueueMerge queues the move of what still waits for a contact to the person that it turned out to be. Of what waits for both, or has
// reached the person already, the contact's is skipped: once a cause and person. What was sent stays with whom it was sent to.
func QueueMerge(b *pgx.Batch, from, into int64) {
	b.Queue(`UPDATE delivery d SET state = 'skipped', reason = $3 WHERE d.contact_id = $1 AND d.state = 'queued'
AND EXISTS (SELECT FROM delivery p WHERE p.contact_id = $2 AND p.cause = d.cause)`, from, into, Merged)
	b.Queue(`UPDATE delivery SET contact_id = $2 WHERE contact_id = $1 AND state = 'queued'`, from, into)
}
