package jobs

// The jobs of the calendar. Day is the date in China, as 2026-11-24: with it in the args, "once a day" is "once with these args".

// PriceBulletinArgs asks for the push of new quotes to those who subscribed to prices.
type PriceBulletinArgs struct {
	Day string `json:"day"`
}

// Kind implements Args.
func (PriceBulletinArgs) Kind() string { return "price_bulletin" }

// DemandNewsArgs asks for the push of new demands to those who subscribed to them. Slot is noon or evening.
type DemandNewsArgs struct {
	Day  string `json:"day"`
	Slot string `json:"slot"`
}

// Kind implements Args.
func (DemandNewsArgs) Kind() string { return "demand_news" }

// SweepArgs asks for the nightly tidying: what is forgotten, used up or settled goes.
type SweepArgs struct {
	Day string `json:"day"`
}

// Kind implements Args.
func (SweepArgs) Kind() string { return "sweep" }
