package outbox

import (
	"strconv"
	"strings"
)

// attemptID names an attempt: the try-th of a delivery.
type attemptID struct {
	delivery int64
	try      int
}

// ref is our reference of an attempt, as providers get it and give it back (OutId, client_msg_id, clientmsgid): the mark of this
// database, the delivery in base 36 and the try. At most 30 letters, digits and dashes.
func (a attemptID) ref(mark string) string {
	return mark + strconv.FormatInt(a.delivery, 36) + "-" + strconv.Itoa(a.try)
}

// parseRef takes a reference apart; ok is false where it is not one of this database.
func parseRef(mark, ref string) (a attemptID, ok bool) {
	rest, ours := strings.CutPrefix(ref, mark)
	id, try, dash := strings.Cut(rest, "-")
	if !ours || !dash {
		return a, false
	}
	var err1, err2 error
	a.delivery, err1 = strconv.ParseInt(id, 36, 64)
	a.try, err2 = strconv.Atoi(try)
	return a, err1 == nil && err2 == nil && a.delivery > 0 && a.try > 0
}
