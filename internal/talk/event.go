package talk

import (
	"github.com/nongxun/nongxun/content/reading"
)

// event answers what a contact did without writing.
func (c *step) event() Turn {
	switch c.in.Event {
	case Follow:
		station, acts := c.scene()
		return Turn{Answer: c.w.Welcome(station), Acts: acts, State: State{Step: stepMenu}}
	case Scan:
		station, acts := c.scene()
		return Turn{Answer: c.w.WelcomeBack(station), Acts: acts, State: State{Step: stepMenu}}
	case Click:
		return c.button(c.in.Arg)
	case Location:
		return c.location()
	case Picture:
		return Turn{Answer: c.w.Picture(), State: c.state}
	case Voice:
		return Turn{Answer: c.w.Voice(), State: c.state}
	case Video:
		return Turn{Answer: c.w.Video(), State: c.state}
	case Link:
		return Turn{Answer: c.w.Link(), State: c.state}
	}
	return Turn{Answer: c.w.Strange(), State: State{Step: stepMenu}}
}

// scene reads the county out of a code's scene ("station-430225-01") and remembers it for who has none yet.
func (c *step) scene() (string, []Act) {
	m := countyCode.FindStringSubmatch(c.in.Arg)
	if m == nil {
		return "", nil
	}
	county, ok := c.lex.County(m[1])
	if !ok {
		return "", nil
	}
	if c.facts.Profile.County != "" {
		return county.Name, nil
	}
	return county.Name, []Act{SetProfile{County: county.Code}}
}

// location answers the place that was asked for, else remembers the county.
func (c *step) location() Turn {
	place := c.reader.ReadPlace(c.in.Arg, c.facts.Profile.County)
	county := countyOf(place)
	if county == "" {
		return Turn{Answer: c.w.UnknownPlace(), State: c.state}
	}
	switch c.state.Step {
	case stepSlot:
		if group := c.group(); c.draft.Ask[0].Slot == reading.SlotOrigin && len(alive(group)) > 0 {
			return c.complete(group, EditListing{Origin: place})
		}
	case stepSign:
		if turn, ok := c.signAt(place); ok {
			return turn
		}
	}
	return Turn{Answer: c.w.AtPlace(*place.County), Acts: []Act{SetProfile{County: county}}, State: c.state}
}
