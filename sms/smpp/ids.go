package smpp

import (
	"math/big"
	"strings"
	"sync"
)

// canonicalID makes one of the ways to write the same message_id: SMSC differ between submit_sm_resp and receipt in letter case and
// in leading zeros.
func canonicalID(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	if short := strings.TrimLeft(id, "0"); short != "" {
		return short
	}
	return id
}

// messageIDs remembers what was submitted lately, to see how this SMSC writes its ids. Many give a decimal id in submit_sm_resp and
// the same number in hexadecimal in the receipt, or the other way round; the specification calls an id opaque, so nothing tells but
// a receipt that comes back for a message that we know.
type messageIDs struct {
	mu     sync.Mutex
	recent map[sent]string // to the reference of those whose answer came too late
	ring   []sent
	next   int
	turn   func(string) string // how this SMSC turns ids, as learned or configured; nil: not at all
}

type sent struct{ id, phone string }

const rememberedIDs = 8192

func newMessageIDs(form IDForm) *messageIDs {
	m := &messageIDs{recent: map[sent]string{}, ring: make([]sent, rememberedIDs)}
	switch form {
	case ReceiptHex:
		m.turn = hexToDecimal
	case ReceiptDecimal:
		m.turn = decimalToHex
	}
	return m
}

// accepted notes a submitted message under its canonical id. ref is "" but where the answer came when its caller had gone: then the
// receipt is what tells that the message was taken after all.
func (m *messageIDs) accepted(id, phone, ref string) {
	s := sent{id, phone}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.recent, m.ring[m.next])
	m.ring[m.next] = s
	m.recent[s] = ref
	m.next = (m.next + 1) % len(m.ring)
}

// resolve is the canonical id of submit_sm_resp for what stands in a receipt. A message that we know decides, and what it taught
// goes for those that we don't know (submitted before a restart, or by another replica). learned is true when that changed.
func (m *messageIDs) resolve(id, phone string, sure bool) (canonical string, learned bool) {
	plain := canonicalID(id)
	if sure {
		return plain, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	turned := plain
	if m.turn != nil {
		turned = m.turn(plain)
	}
	if m.known(turned, phone) {
		return turned, false
	}
	if m.known(plain, phone) {
		m.turn = nil
		return plain, true
	}
	for _, turn := range []func(string) string{hexToDecimal, decimalToHex} {
		if other := turn(plain); m.known(other, phone) {
			m.turn = turn
			return other, true
		}
	}
	return turned, false
}

// late is the reference of a message whose answer came too late; "" for any other.
func (m *messageIDs) late(canonical, phone string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.recent[sent{canonical, phone}]
}

func (m *messageIDs) known(id, phone string) bool {
	_, ok := m.recent[sent{id, phone}]
	return ok
}

func hexToDecimal(id string) string { return rebase(id, 16, 10) }
func decimalToHex(id string) string { return rebase(id, 10, 16) }

// rebase is id with its number written in another base; id itself where it is no number.
func rebase(id string, from, to int) string {
	if len(id) > 32 || strings.ContainsAny(id, "+-_") {
		return id
	}
	n, ok := new(big.Int).SetString(id, from)
	if !ok {
		return id
	}
	return n.Text(to)
}
