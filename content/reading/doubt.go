package reading

// doubt lowers how sure a verdict is (in thousandths) by what in the message makes readings go wrong: a reading is only as sure as its
// weakest part. The weights are set so that among readings of 900 and more, at most 1 in 200 has the wrong intent
// (`nongxun understand --evaluate` shows the table).
func (s *scan) doubt(v *verdict, f *features, items []Lot) int {
	sure := v.sure
	atMost := func(n int, when bool) {
		if when {
			sure = min(sure, n)
		}
	}
	atMost(880, f.words > 28)                             // long texts hold several things
	atMost(880, f.deal.sell >= 0 && f.deal.buy >= 0)      // who sells, who buys?
	atMost(880, f.has(cueGlut) && v.intent != GlutReport) // no buyer, or only a word of it
	atMost(880, f.has(cueHowMuch) && v.intent != PriceQuery && v.intent != Subscribe)
	if v.intent != Supply && v.intent != Demand {
		return sure
	}
	kinds := s.amountKinds()
	lots := max(len(items), 1)
	atMost(870, kinds[bareAmount] > 0)                                            // a number without a unit
	atMost(860, kinds[quantityAmount]+kinds[areaAmount]+kinds[rateAmount] > lots) // which of them is how much there is?
	atMost(860, kinds[priceAmount] > lots)
	atMost(870, kinds[apieceAmount] > 0)
	atMost(850, kinds[ignoredAmount] > 1)
	atMost(850, f.has(cueNot, cueWrong, cueSold, cueLastYear))
	for k := range s.places {
		atMost(850, s.places[k].ambiguous)
	}
	atMost(850, len(s.places) > lots)
	for k := range s.mentions {
		atMost(800, s.mentions[k].product == nil)                      // a name that the lexicon lacks
		atMost(850, k > 0 && s.mentions[k].from == s.mentions[k-1].to) // two names side by side: one lot or two?
	}
	for k := range items {
		atMost(860, lots > 1 && items[k].Quantity == nil && items[k].Price == nil && (f.weights || f.prices))
	}
	return sure
}

// amountKinds counts the amounts of each kind.
func (s *scan) amountKinds() (n [bareAmount + 1]int) {
	for k := range s.amounts {
		if !s.amounts[k].negotiable {
			n[s.amounts[k].kind]++
		}
	}
	return n
}
