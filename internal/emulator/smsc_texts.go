package emulator

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// submitted takes a submit_sm; pending is how many of its connection are unanswered with it. answered is false when it is to be left
// without an answer.
func (s *SMSC) submitted(f smppFrame, pending int) (status uint32, id string, answered bool) {
	t, err := readSMPPText(f.body)
	if err != nil {
		s.complain("a submit_sm that can't be read")
		return smppInvalidLength, "", true
	}
	var shown string
	whole := false
	defer func() {
		if whole && s.o.Deliver != nil {
			s.o.Deliver(t.dest, shown)
		}
	}()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Submits++
	s.stats.WidestWindow = max(s.stats.WidestWindow, pending)
	switch {
	case pending > s.o.Window:
		s.stats.Throttled++
		return smppThrottled, "", true
	case !s.grant():
		s.stats.Throttled++
		return smppThrottled, "", true
	case !strings.HasPrefix(t.source, s.o.Number):
		return smppInvalidSource, "", true
	case t.dest == "":
		return smppInvalidDest, "", true
	}
	if len(s.refuse) > 0 {
		if status, s.refuse = s.refuse[0], s.refuse[1:]; status != 0 {
			return status, "", true
		}
	}
	s.nextID++
	id = strconv.FormatInt(1_000_000+s.nextID, 10)
	shown, whole = s.arrive(t)
	if wanted := t.registered & 3; !s.o.NoReports && (wanted == 1 || wanted == 2 && s.dead[t.dest] != "") {
		s.report(t, id)
	}
	if s.swallow > 0 {
		s.swallow--
		return 0, id, false
	}
	return 0, id, true
}

// grant takes a token of the granted rate; a second's worth may come at once.
func (s *SMSC) grant() bool {
	if s.o.Rate <= 0 {
		return true
	}
	now := time.Now()
	s.bucket = min(float64(s.o.Rate), s.bucket+now.Sub(s.bucketAt).Seconds()*float64(s.o.Rate))
	s.bucketAt = now
	if s.bucket < 1 {
		return false
	}
	s.bucket--
	return true
}

// arrive counts a text when all its parts are there, and gives it out.
func (s *SMSC) arrive(t *smppText) (text string, whole bool) {
	p := t.part()
	text = p.text
	if p.total > 1 {
		key := smscPartKey{t.source, t.dest, p.reference, p.total}
		if s.parts[key] == nil {
			s.parts[key] = map[int]string{}
		}
		s.parts[key][p.number] = p.text
		if len(s.parts[key]) < p.total {
			return "", false
		}
		text = ""
		for i := range p.total {
			text += s.parts[key][i+1]
		}
		delete(s.parts, key)
	}
	s.arrived[t.dest]++
	return text, true
}

// report sends the receipt of a submit_sm, and its copies, after ReportDelay.
func (s *SMSC) report(t *smppText, id string) {
	state := orDefault(s.dead[t.dest], "DELIVRD")
	r := smppText{sourceTON: t.destTON, sourceNPI: t.destNPI, source: t.dest, destTON: t.sourceTON, destNPI: t.sourceNPI, dest: t.source, esmClass: 0x04}
	if s.o.Receipts != ReceiptText {
		number := map[string]byte{"DELIVRD": 2, "EXPIRED": 3, "DELETED": 4, "UNDELIV": 5, "ACCEPTD": 6, "UNKNOWN": 7, "REJECTD": 8}[state]
		r.options = map[uint16][]byte{smppReceiptedID: append([]byte(id), 0), smppMessageState: {number}}
	}
	if s.o.Receipts != ReceiptOptions {
		written := id
		if n, err := strconv.ParseInt(id, 10, 64); err == nil && s.o.HexReceipts {
			written = strconv.FormatInt(n, 16)
		}
		now := s.o.Now().In(shanghai)
		delivered, code := 1, 0
		if state != "DELIVRD" {
			delivered, code = 0, 11
		}
		r.text = fmt.Appendf(nil, "id:%s sub:001 dlvrd:%03d submit date:%s done date:%s stat:%s err:%03d text:", written, delivered,
			now.Format("0601021504"), now.Add(s.o.ReportDelay).Format("0601021504"), state, code)
	}
	body := r.append(nil)
	for range 1 + s.o.ReportCopies {
		d := &smscDelivery{body: body, done: make(chan struct{})}
		s.stats.Waiting++
		if s.o.ReportDelay <= 0 {
			s.enqueue(d)
			continue
		}
		s.crew.run(func(ctx context.Context) {
			if pause(ctx, s.o.ReportDelay) {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.enqueue(d)
			}
		})
	}
}

// Text lets a phone text to a number: it waits until every part of it is taken.
func (s *SMSC) Text(ctx context.Context, phone, number, text string) error {
	for _, d := range s.send(phone, number, text) {
		select {
		case <-d.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// send lets a phone text to a number and does not wait.
func (s *SMSC) send(phone, number, text string) []*smscDelivery {
	whole := smppText{sourceTON: 1, sourceNPI: 1, source: phone, destNPI: 1, dest: number}
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*smscDelivery
	for _, t := range whole.split(text, &s.reference, s.o.SAR) {
		d := &smscDelivery{body: t.append(nil), done: make(chan struct{})}
		s.stats.Waiting++
		s.enqueue(d)
		out = append(out, d)
	}
	return out
}

// split writes a text as a phone does: in the default alphabet where each character is the same in ASCII, else in UCS2, in parts of
// 67 units when it is longer than 70.
func (t smppText) split(text string, reference *byte, sar bool) []*smppText {
	if !strings.ContainsFunc(text, func(r rune) bool { return r > 'z' || r < ' ' || strings.ContainsRune("@$[\\]^_`", r) }) && len(text) <= 160 {
		t.text = []byte(text)
		return []*smppText{&t}
	}
	t.coding = 8
	units := utf16.Encode([]rune(text))
	if len(units) <= 70 {
		t.text = toUTF16(units)
		return []*smppText{&t}
	}
	*reference++
	parts := slices.Collect(slices.Chunk(units, 67)) // phones cut surrogate pairs, too
	out := make([]*smppText, len(parts))
	for i, units := range parts {
		p := t
		if sar {
			p.text = toUTF16(units)
			p.options = map[uint16][]byte{
				smppSARReference: {0, *reference}, smppSARTotal: {byte(len(parts))}, smppSARNumber: {byte(i + 1)},
			}
		} else {
			p.esmClass = 0x40
			p.text = append([]byte{5, 0, 3, *reference, byte(len(parts)), byte(i + 1)}, toUTF16(units)...)
		}
		out[i] = &p
	}
	return out
}

// enqueue puts a delivery into the queue; s.mu is held.
func (s *SMSC) enqueue(d *smscDelivery) {
	s.queue = append(s.queue, d)
	close(s.queued)
	s.queued = make(chan struct{})
}

// next waits for a delivery; nil when left or ctx is over.
func (s *SMSC) next(ctx context.Context, left <-chan struct{}) *smscDelivery {
	for {
		s.mu.Lock()
		if len(s.queue) > 0 {
			d := s.queue[0]
			s.queue = s.queue[1:]
			s.mu.Unlock()
			return d
		}
		queued := s.queued
		s.mu.Unlock()
		select {
		case <-queued:
		case <-left:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// again queues a delivery once more.
func (s *SMSC) again(d *smscDelivery, after time.Duration) {
	s.mu.Lock()
	s.stats.Repeated++
	s.mu.Unlock()
	s.crew.run(func(ctx context.Context) {
		if pause(ctx, after) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.enqueue(d)
		}
	})
}

func (s *SMSC) settled(d *smscDelivery) {
	close(d.done)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Delivered++
	s.stats.Waiting--
}
