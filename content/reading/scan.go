package reading

// scan is the work on one message. Its parts are used again for the next one.
type scan struct {
	r        *Reader
	text     text
	today    day
	home     string
	tokens   []token
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
}
