package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nongxun/nongxun/internal/outbox"
	"github.com/nongxun/nongxun/sms"
)

// rates reads name=N/unit pairs, such as sms=50/s,sms/promotion=2000/h,mass=50/m.
func (s *source) rates(name string) map[string]outbox.Rate {
	units := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
	out := map[string]outbox.Rate{}
	for what, v := range s.pairs(name) {
		n, unit, _ := strings.Cut(v, "/")
		messages, err := strconv.Atoi(n)
		channel, part, _ := strings.Cut(what, "/")
		_, class := classes[part]
		known := slices.Contains([]string{"sms", "wechat", "message", "notice", "template", "mass"}, what) || channel == "sms" && class ||
			part != "" && slices.Contains([]string{"message", "notice", "template", "mass"}, channel)
		if !known || err != nil || messages < 1 || units[unit] == 0 {
			s.fail("NONGXUN_"+name, "should be name=number/s, /m, /h or /d pairs, such as sms=50/s,sms/promotion=2000/h,mass=50/m; "+
				"names are sms, wechat, message, notice, template, mass, sms/reply, sms/notice, sms/promotion, template/price and the like")
			return nil
		}
		out[what] = outbox.Rate{Messages: messages, Per: units[unit]}
	}
	return out
}

// price reads what a part of a text costs: fen, with at most two decimals.
func (s *source) price(name string) sms.Price {
	v := s.get(name, "4.5")
	whole, decimals, _ := strings.Cut(v, ".")
	fen, err1 := strconv.ParseUint(whole, 10, 16)
	hundredths, err2 := strconv.ParseUint((decimals + "00")[:max(2, len(decimals))], 10, 16)
	p := sms.Price(fen)*sms.Fen + sms.Price(hundredths) //nolint:gosec // 16 bits
	if err1 != nil || err2 != nil || len(decimals) > 2 || p <= 0 || p > 100*sms.Fen {
		s.fail("NONGXUN_"+name, "should be the price of a part of a text in fen, such as 4.5 (0.045 yuan)")
	}
	return p
}

// classes are the names of classes in settings.
var classes = map[string]outbox.Class{"reply": outbox.Reply, "notice": outbox.Notice, "promotion": outbox.Promotion}

// hours reads class/channel=from-to pairs over the defaults.
func (s *source) hours(name string) map[outbox.Slot]outbox.Hours {
	out := outbox.DefaultHours()
	for what, v := range s.pairs(name) {
		class, channel, _ := strings.Cut(what, "/")
		from, to, _ := strings.Cut(v, "-")
		c, known := classes[class]
		h := outbox.Hours{}
		var err1, err2 error
		h.From, err1 = strconv.Atoi(from)
		h.To, err2 = strconv.Atoi(to)
		if !known || c == outbox.Reply || channel != outbox.SMS && channel != outbox.WeChat || err1 != nil || err2 != nil || h.From < 0 || h.To > 24 || h.From >= h.To {
			s.fail("NONGXUN_"+name, "should be class/channel=from-to pairs, such as promotion/sms=8-21,notice/wechat=6-22 (classes notice and promotion, channels sms and wechat)")
			return nil
		}
		out[outbox.Slot{Class: c, Channel: channel}] = h
	}
	return out
}

// weeklyCap reads class=number pairs over the defaults; 0 is no cap, outbox.MostPushes the most that is counted.
func (s *source) weeklyCap(name string) map[outbox.Class]int {
	out := outbox.DefaultWeeklyCap()
	for what, v := range s.pairs(name) {
		c, known := classes[what]
		n, err := strconv.Atoi(v)
		if !known || c == outbox.Reply || err != nil || n < 0 || n > outbox.MostPushes {
			s.fail("NONGXUN_"+name, "should be class=number pairs, such as promotion=4,notice=14; 0 is no cap, and %d the most", outbox.MostPushes)
			return nil
		}
		out[c] = n
	}
	return out
}
