package inbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sync/errgroup"

	"github.com/nongxun/nongxun/sms"
)

const longText = "供应黄桃5000斤,3块5一斤,炎陵县中村乡,现货,树上刚摘下来的,个头大,又甜又脆,可以先看样品,也可以直接开车来拉,路好走,大车进得来,一次要得多的价钱还可以再商量,有意的老板请给我回个信"

// parts are the parts of a text from a phone, as a carrier gives them: with a key each.
func parts(phone, id string, ref uint16, text string) []sms.Incoming {
	split := sms.EncodeUCS2(text)
	out := make([]sms.Incoming, len(split))
	for i, data := range split {
		out[i] = sms.Incoming{
			Provider: "cmpp", Key: fmt.Sprintf("cmpp:%s:%d", id, i+1), Phone: phone, DestCode: "10690001", SentAt: time.Date(2026, 11, 24, 0, 59, 0, 0, time.UTC),
			Part: &sms.Part{Ref: ref, Total: len(split), Seq: i + 1, Coding: sms.UCS2, Data: data},
		}
	}
	return out
}

func (h *house) take(texts ...sms.Incoming) {
	h.t.Helper()
	if err := h.SMS(h.t.Context(), texts); err != nil {
		h.t.Fatal(err)
	}
}

// kept are the stored messages of a phone with their missing parts.
func (h *house) kept(phone string) (out []string) {
	h.t.Helper()
	rows, err := h.pool.Query(h.t.Context(), `SELECT text || CASE WHEN missing > 0 THEN ' -' || missing ELSE '' END FROM message WHERE address = $1 ORDER BY id`, phone)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func TestLongTextIsJoinedOnceInAnyOrder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := parts("13900000001", "a", 7, longText)
	h.take(p[1])
	h.take(p[1]) // the carrier did not see our answer
	if got := h.kept("13900000001"); got != nil {
		t.Fatalf("half a text was stored: %q", got)
	}
	h.take(p[0], sms.Incoming{Provider: "cmpp", Key: "cmpp:short", Phone: "13900000002", Text: "查黄桃"})
	h.take(p...) // and once more all of it
	h.pass(time.Hour)
	if err := h.JoinLate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{longText}, h.kept("13900000001")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"查黄桃"}, h.kept("13900000002")); diff != "" {
		t.Error(diff)
	}
}

func TestPartsThatComeAtOnceByManyConnections(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var group errgroup.Group
	for i := range 20 {
		for _, p := range parts(fmt.Sprintf("139000001%02d", i), fmt.Sprint(i), 9, longText) {
			group.Go(func() error { return h.SMS(t.Context(), []sms.Incoming{p}) })
		}
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if diff := cmp.Diff([]string{longText}, h.kept(fmt.Sprintf("139000001%02d", i))); diff != "" {
			t.Error(diff)
		}
	}
}

func TestMissingPartIsFlaggedAfterAWhile(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	p := parts("13900000001", "a", 7, longText)
	h.take(p[0])
	h.pass(4 * time.Minute)
	if err := h.JoinLate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.kept("13900000001"); got != nil {
		t.Fatalf("too early: %q", got)
	}
	h.pass(2 * time.Minute)
	for range 2 {
		if err := h.JoinLate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	first := string([]rune(longText)[:67])
	if diff := cmp.Diff([]string{first + "…… -1"}, h.kept("13900000001")); diff != "" {
		t.Error(diff)
	}
}

func TestAReferenceThatIsUsedAgainBeginsANewText(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	other := []rune(longText)
	other[2], other[3] = '脐', '橙'
	a, b := parts("13900000001", "a", 7, longText), parts("13900000001", "b", 7, string(other))
	again := a[0]
	again.Key = "cmpp:new id of the same" // a carrier that repeats under a new id
	h.take(a[0], again)
	h.take(b[0])
	h.take(b[1])
	if diff := cmp.Diff([]string{string([]rune(longText)[:67]) + "…… -1", string(other)}, h.kept("13900000001")); diff != "" {
		t.Error(diff)
	}
}
