package outbox

import (
	"time"
	_ "time/tzdata" // the hours of the night on a bare machine
)

// Slot is a class on a channel.
type Slot struct {
	Class   Class
	Channel string // WeChat or SMS
}

// Hours are the hours of the day in China within which a class goes out on a channel: from From o'clock until To o'clock, 0 to 24.
// The zero value is the whole day.
type Hours struct{ From, To int }

// DefaultHours are the quiet hours where an operator says nothing: replies go at any hour, notices by SMS and promotions on any
// channel from 8 to 21 o'clock.
func DefaultHours() map[Slot]Hours {
	day := Hours{8, 21}
	return map[Slot]Hours{{Notice, SMS}: day, {Promotion, SMS}: day, {Promotion, WeChat}: day}
}

// quiet says whether a class must keep silent on a road at a moment, and until when.
func (o offer) quiet(c Class, r rung, at time.Time) (morning time.Time, quiet bool) {
	channel := WeChat
	if r == rungSMS {
		channel = SMS
	}
	h := o.Hours[Slot{c, channel}]
	if h == (Hours{}) || c == Reply {
		return time.Time{}, false
	}
	local := at.In(shanghai())
	y, m, d := local.Date()
	morning = time.Date(y, m, d, h.From, 0, 0, 0, local.Location())
	switch hour := local.Hour(); {
	case hour < h.From:
		return morning, true
	case hour >= h.To:
		return morning.AddDate(0, 0, 1), true
	}
	return time.Time{}, false
}

func shanghai() *time.Location {
	l, err := time.LoadLocation("Asia/Shanghai")
	if err != nil { // cannot be: tzdata is linked in
		return time.FixedZone("CST", 8*3600)
	}
	return l
}

// monday is the first day of the week of a moment in China, as a date.
func monday(at time.Time) time.Time {
	local := at.In(shanghai())
	y, m, d := local.Date()
	return time.Date(y, m, d-(int(local.Weekday())+6)%7, 0, 0, 0, 0, time.UTC)
}

// nextMonth is when the calendar month of a moment ends in China.
func nextMonth(at time.Time) time.Time {
	local := at.In(shanghai())
	y, m, _ := local.Date()
	return time.Date(y, m+1, 1, 0, 0, 0, 0, local.Location())
}
