package emulator

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"time"
)

// The limits of mass sends of a service account.
const (
	massPerPerson = 4 // a calendar month, whoever sent them
	massPerMinute = 60
	massLeast     = 2
	massMost      = 10_000
)

// massJob is a mass send that was taken.
type massJob struct {
	id    int64
	at    time.Time
	state string // how it ends: SEND_SUCCESS, SEND_FAIL
}

// masses are the mass sends of one account.
type masses struct {
	jobs   map[int64]*massJob
	refs   map[string]*massJob // by clientmsgid, for a day
	day    dayCount
	minute time.Time // of the calls in calls
	calls  int
	fail   string // Status of the next job's end, "" is success
}

// monthCount counts what a person got in one calendar month in the bureau's time zone.
type monthCount struct {
	month string
	n     int
}

func (c *monthCount) of(now time.Time) int {
	if month := now.In(shanghai).Format("2006-01"); month != c.month {
		c.month, c.n = month, 0
	}
	return c.n
}

// FailMass makes the next mass send end with a status such as "err(20008)": nobody gets it.
func (w *WeChat) FailMass(status string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.masses.fail = status
}

// massTotals are the counts of MASSSENDJOBFINISH.
type massTotals struct{ total, filtered, sent, failed int64 }

// sendMass is message/mass/send, to a list of openids.
func (w *WeChat) sendMass(_ *http.Request, body []byte) (any, int) {
	var in struct {
		ToUser  []string `json:"touser"`
		MsgType string   `json:"msgtype"`
		Text    struct{ Content string }
		News    struct {
			MediaID string `json:"media_id"`
		} `json:"mpnews"`
		ClientMsgID string `json:"clientmsgid"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	b := Bubble{Kind: "text", Text: in.Text.Content}
	switch {
	case len(in.ToUser) < massLeast || len(in.ToUser) > massMost:
		return nil, codeListLength
	case len(in.ClientMsgID) > 64:
		return nil, codeRefTooLong
	case in.MsgType == "text" && in.Text.Content == "":
		return nil, codeEmptyText
	case in.MsgType == "text" && len(in.Text.Content) > maxTextBytes:
		return nil, codeTooLong
	case in.MsgType == "mpnews" && in.News.MediaID != "":
		b = Bubble{Kind: "news", Title: "图文消息", Media: in.News.MediaID}
	case in.MsgType == "mpnews":
		return nil, codeBadMediaID
	case in.MsgType != "text":
		return nil, codeBadMsgType
	}
	w.mu.Lock()
	job, code := w.takeMass(in.ClientMsgID, in.ToUser)
	if code != 0 {
		w.mu.Unlock()
		if job != nil {
			return massAnswer{ErrCode: code, ErrMsg: wording(code) + " rid: " + rid(), MsgID: job.id}, 0
		}
		return nil, code
	}
	reached, totals := w.reachMass(in.ToUser)
	status := w.masses.fail
	w.masses.fail = ""
	w.mu.Unlock()
	if status == "" {
		status = "send success"
		for _, openid := range reached {
			w.count(openid, func(c *WeChatCounts) { c.Mass++ })
			w.show(openid, b)
		}
	} else {
		totals.sent, totals.failed = 0, totals.sent
	}
	w.finishMass(job, status, totals)
	return massAnswer{ErrMsg: "send job submission success", MsgID: job.id, DataID: job.id + 1}, 0
}

type massAnswer struct {
	ErrCode int    `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
	MsgID   int64  `json:"msg_id,omitempty"`
	DataID  int64  `json:"msg_data_id,omitempty"`
}

// takeMass decides on a mass send; mu is held. A job that comes with a code is the one that its reference stands for.
func (w *WeChat) takeMass(ref string, list []string) (*massJob, int) {
	m, now := &w.masses, w.o.Now()
	if minute := now.Truncate(time.Minute); !minute.Equal(m.minute) {
		m.minute, m.calls = minute, 0
	}
	if m.calls++; m.calls > massPerMinute {
		return nil, codeFrequency
	}
	if old := m.refs[ref]; ref != "" && old != nil && now.Sub(old.at) < 24*time.Hour {
		if now.Sub(old.at) < time.Minute {
			return nil, codeRefTooSoon
		}
		return old, codeRefExists
	}
	if m.day.add(now) > w.o.MassesPerDay {
		return nil, codeDailyQuota
	}
	for _, openid := range list {
		if w.fans[openid] == nil {
			return nil, codeBadOpenID
		}
	}
	job := &massJob{id: w.nextID.Add(2), at: now}
	m.jobs[job.id] = job
	if ref != "" {
		m.refs[ref] = job
	}
	return job, 0
}

// reachMass finds those who get a mass send: followers who take messages and had fewer than four this month; mu is held. A person who
// is on the list twice counts once.
func (w *WeChat) reachMass(list []string) (reached []string, t massTotals) {
	now := w.o.Now()
	seen := make(map[string]bool, len(list))
	for _, openid := range list {
		if seen[openid] {
			continue
		}
		seen[openid] = true
		t.total++
		f := w.fans[openid]
		if f.follows && !f.blocks && f.masses.of(now) < massPerPerson {
			f.masses.n++
			reached = append(reached, openid)
		}
	}
	t.filtered = int64(len(reached))
	t.sent = t.filtered
	return reached, t
}

// finishMass sends MASSSENDJOBFINISH. It comes from the account's assistant, not from a follower.
func (w *WeChat) finishMass(job *massJob, status string, t massTotals) {
	w.mu.Lock()
	if status == "send success" {
		job.state = "SEND_SUCCESS"
	} else {
		job.state = "SEND_FAIL"
	}
	w.mu.Unlock()
	w.report(massAssistant, "MASSSENDJOBFINISH", number("MsgID", job.id), text("Status", status), number("TotalCount", t.total),
		number("FilterCount", t.filtered), number("SentCount", t.sent), number("ErrorCount", t.failed))
}

// massAssistant is the openid of 公众号群发助手.
const massAssistant = "oMassAssistant0000000000000A"

// getMass is message/mass/get.
func (w *WeChat) getMass(_ *http.Request, body []byte) (any, int) {
	var in struct {
		MsgID json.Number `json:"msg_id"` // a number, or one in quotes
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	id, _ := in.MsgID.Int64()
	w.mu.Lock()
	defer w.mu.Unlock()
	job := w.masses.jobs[id]
	if job == nil {
		return nil, codeBadMsgID
	}
	state := job.state
	if w.o.Now().Sub(job.at) < w.o.ReceiptDelay {
		state = "SENDING"
	}
	return map[string]any{"msg_id": id, "msg_status": state}, 0
}

// jitter is a time between 0 and most.
func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}

// loses says whether the next receipt gets lost on its way.
func (w *WeChat) loses() bool {
	return w.o.ReceiptLossPercent > 0 && rand.N(100) < w.o.ReceiptLossPercent
}
