package emulator

import "time"

// creditKind is what opened the window in which the account may write to a fan by the customer-service interface.
type creditKind int

const (
	creditMessage creditKind = iota // the fan wrote: 5 messages in 48 hours
	creditClick                     // menu click: 3 in one minute
	creditFollow                    // 3 in one minute
	creditScan                      // 3 in one minute
	creditKinds
)

type credit struct {
	left    int
	expires time.Time
}

// credits are a fan's open windows, one of each kind; doing the same again opens it anew.
type credits [creditKinds]credit

func (c *credits) grant(kind creditKind, now time.Time) {
	if kind == creditMessage {
		c[kind] = credit{left: 5, expires: now.Add(48 * time.Hour)}
		return
	}
	c[kind] = credit{left: 3, expires: now.Add(time.Minute)}
}

// spend takes one message from the window that closes first. It returns 0, or the errcode that says why there is none.
func (c *credits) spend(now time.Time) int {
	best, open := -1, false
	for i := range c {
		if !now.Before(c[i].expires) {
			continue
		}
		open = true
		if c[i].left > 0 && (best < 0 || c[i].expires.Before(c[best].expires)) {
			best = i
		}
	}
	switch {
	case best >= 0:
		c[best].left--
		return 0
	case open:
		return codeCountUsedUp
	}
	return codeWindowClosed
}
