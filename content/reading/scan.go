package reading

// What is read of one message is bounded, so that a hostile text costs no more than a long one: people name a dozen lots, not hundreds.
const (
	maxAmounts  = 64
	maxMentions = 48
	maxPlaces   = 24
	maxVillages = 12 // 村 that are looked up
)

// scan is the work on one message. Its parts are used again for the next one.
type scan struct {
	r        *Reader
	text     text
	today    day
	home     string
	tokens   []token
	said     cues // of all tokens: what no word says need not be looked for beside a number
	phones   []string
	amounts  []amount
	mentions []mention
	places   []location
	lots     []lotDraft
	refs     []placeRef  // what the names of places can mean
	sources  []*location // places that goods come from
	marked   []bool      // lots that an amount is of
	spans    [][2]int    // of phones
	out      *sheet

	buyersAsked, buyersAway bool // see noBuyer

	hiddenPhone bool // a phone number is spelled to be hidden: 一三九…, 139*0000*1234
}
