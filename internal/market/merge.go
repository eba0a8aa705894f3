package market

import "github.com/jackc/pgx/v5"

// QueueMerge queues the move of a contact's listings, open and closed, to the person that it turned out to be.
func QueueMerge(b *pgx.Batch, from, into int64) {
	b.Queue(`UPDATE listing SET contact_id = $2, merged_from = $1 WHERE contact_id = $1`, from, into)
}

// QueueSplit undoes QueueMerge: what had moved goes back as it is now, or stays for good where keep is true. What was added since stays.
func QueueSplit(b *pgx.Batch, from, into int64, keep bool) {
	b.Queue(`UPDATE listing SET contact_id = CASE WHEN $3 THEN contact_id ELSE $1 END, merged_from = NULL
WHERE contact_id = $2 AND merged_from = $1`, from, into, keep)
}
