package smpp

import (
	"time"

	"github.com/nongxun/nongxun/sms"
)

// lates remembers texts whose answer was late, since an SMSC that loses patience delivers them again. One goroutine uses it.
type lates struct{ arrived map[sameText]time.Time }

// sameText is all that tells a text from another where the protocol gives it no id.
type sameText struct{ phone, dest, text string }

func same(in *sms.Incoming) sameText { return sameText{in.Phone, in.DestCode, in.Text} }

// of is when a text like in arrived that was answered late, zero when there was none of late.
func (l *lates) of(in *sms.Incoming) time.Time {
	if at, ok := l.arrived[same(in)]; ok && in.SentAt.Sub(at) < lateAge {
		return at
	}
	return time.Time{}
}

// first is the place among texts, which are not stored yet, of the one that in repeats, -1 when it is another: one that waits long
// enough for the SMSC to lose patience, or since before its connection broke.
func (l *lates) first(in *sms.Incoming, of []delivery, texts []sms.Incoming) int {
	if in.Part != nil {
		return -1
	}
	for k := range texts {
		if t := &texts[k]; t.Part == nil && same(t) == same(in) && (in.SentAt.Sub(of[k].at) >= lateAfter || !in.MayRepeat.Before(of[k].at) && !in.MayRepeat.IsZero()) {
			return k
		}
	}
	return -1
}

// remember notes the texts that were answered only now though they came long ago.
func (l *lates) remember(texts []sms.Incoming, now time.Time) {
	for k := range texts {
		if t := &texts[k]; t.Part == nil && now.Sub(t.SentAt) >= lateAfter {
			if l.arrived == nil {
				l.arrived = map[sameText]time.Time{}
			}
			l.arrived[same(t)] = t.SentAt
		}
	}
	for k, at := range l.arrived {
		if now.Sub(at) > lateAge+commitLimit {
			delete(l.arrived, k)
		}
	}
}
