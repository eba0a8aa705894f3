package inbox_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// What is sold and what is wanted in one message are both stored, each as what it is, in the order in which they were written.
func TestAMessageThatSellsAndBuys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.say("oA", "卖红薯3000斤8毛安化大福镇,收辣椒2000斤")
	want := []string{"1 supply 红薯", "2 demand 辣椒"}
	if got := h.strings(`SELECT lot_no || ' ' || kind || ' ' || product FROM listing ORDER BY lot_no`); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	h.pass(time.Second)
	if got := h.say("oA", "2"); !strings.Contains(got, "求购 辣椒") {
		t.Error(got)
	}
}

// The same goods pressed twice are one listing.
func TestTheSameGoodsTwice(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 2 {
		h.say("oA", "黄桃5000斤3块5一斤炎陵中村")
		h.pass(time.Second)
	}
	if n := h.count(`SELECT count(*) FROM listing`); n != 1 {
		t.Errorf("%d listings", n)
	}
}
