package sms

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReceive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		coding Coding
		headed bool
		data   string
		text   string
		part   *Part
		ok     bool
	}{
		"a word in UCS2":                       {UCS2, false, "9ec46843", "黄桃", nil, true},
		"an emoji is a pair of surrogates":     {UCS2, false, "d83cdf51", "🍑", nil, true},
		"half a pair cannot be read":           {UCS2, false, "d83c0041", "\ufffdA", nil, true},
		"a mark of the byte order is none":     {UCS2, false, "feff9ec4", "黄", nil, true},
		"GBK":                                  {GBK, false, "bbc6ccd2", "黄桃", nil, true},
		"ASCII":                                {ASCII, false, hex.EncodeToString([]byte("GY 5000")), "GY 5000", nil, true},
		"GBK that says that it is ASCII":       {ASCII, false, "bbc6ccd2", "黄桃", nil, true},
		"GSM, with its own letters":            {GSM7, false, "00021b6511", "@$€_", nil, true},
		"Latin":                                {Latin1, false, "e9", "é", nil, true},
		"binary that is text":                  {Binary, false, hex.EncodeToString([]byte("黄桃")), "黄桃", nil, true},
		"binary":                               {Binary, false, "00ff10", "", nil, false},
		"a part":                               {UCS2, true, "050003 2a 03 02 9ec4", "", &Part{42, 3, 2, UCS2, []byte{0x9e, 0xc4}}, true},
		"a part with a wide reference":         {GBK, true, "060804 0102 03 03 bbc6", "", &Part{0x102, 3, 3, GBK, []byte{0xbb, 0xc6}}, true},
		"the only part of one":                 {UCS2, true, "050003 00 01 01 9ec4", "黄", nil, true},
		"number beyond the total":              {UCS2, true, "050003 00 02 03 9ec4", "黄", nil, true},
		"WAP push":                             {Binary, true, "0605 04c3 4f00 00 01 06", "", nil, false},
		"an order to a SIM card":               {Binary, true, "027000 0080", "", nil, false},
		"a header longer than the message":     {UCS2, true, "9ec46843", "黄桃", nil, true},
		"a header whose elements do not fit":   {UCS2, true, "0300ff9ec4", "\u0300\uff9e", nil, true},
		"a header says something else as well": {UCS2, true, "09 24020101 0003070201 9ec4", "", &Part{7, 2, 1, UCS2, []byte{0x9e, 0xc4}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, part, ok := Receive(c.coding, c.headed, unhex(t, c.data))
			if text != c.text || ok != c.ok || (part == nil) != (c.part == nil) {
				t.Fatalf("got %q %+v %v, want %q %+v %v", text, part, ok, c.text, c.part, c.ok)
			}
			if part != nil && (part.Ref != c.part.Ref || part.Total != c.part.Total || part.Seq != c.part.Seq || part.Coding != c.part.Coding ||
				!slices.Equal(part.Data, c.part.Data)) {
				t.Fatalf("got %+v, want %+v", part, c.part)
			}
		})
	}
}

func TestSplitAtTheLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []int // bytes of the parts
	}{
		{"", nil},
		{strings.Repeat("桃", 70), []int{140}},
		{strings.Repeat("桃", 71), []int{134, 8}},
		{strings.Repeat("a", 134), []int{134, 134}},
		{strings.Repeat("桃", 66) + "🍑" + strings.Repeat("桃", 10), []int{132, 24}}, // the emoji is not cut
		{strings.Repeat("桃", 68) + "🍑", []int{140}},
	} {
		var got []int
		for _, p := range EncodeUCS2(c.text) {
			got = append(got, len(p))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%d units: parts of %v bytes, want %v", Length(c.text), got, c.want)
		}
	}
}

func TestWhatWasSplitIsJoined(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOfN(rapid.SampledFrom([]rune("黄桃5000斤🍑a。𠮷")), 1, 400, -1).Draw(t, "text")
		wide := rapid.Bool().Draw(t, "wide")
		split := EncodeUCS2(text)
		if len(split) == 1 {
			return
		}
		var parts []Part
		for i, data := range split {
			on := append(Header{Ref: 0xab, Wide: wide, Total: len(split), Seq: i + 1}.Append(nil), data...)
			if !wide && len(on) > 140 {
				t.Fatalf("a part of %d bytes does not fit into a message", len(on))
			}
			_, p, ok := Receive(UCS2, true, on)
			if !ok || p == nil {
				t.Fatalf("part %d is none", i+1)
			}
			parts = append(parts, *p)
		}
		parts = append(parts, parts[0])
		if got, missing := Join(rapid.Permutation(parts).Draw(t, "order")); got != text || missing != 0 {
			t.Fatalf("joined %q (%d missing), want %q", got, missing, text)
		}
	})
}

func TestJoin(t *testing.T) {
	t.Parallel()
	part := func(seq, total int, c Coding, data string) Part {
		return Part{Ref: 1, Total: total, Seq: seq, Coding: c, Data: unhex(t, data)}
	}
	for name, c := range map[string]struct {
		parts   []Part
		want    string
		missing int
	}{
		"each in its own coding":       {[]Part{part(2, 3, GBK, "ccd2"), part(1, 3, UCS2, "9ec4"), part(3, 3, ASCII, "3130")}, "黄桃10", 0},
		"a pair cut between two parts": {[]Part{part(1, 2, UCS2, "9ec4d83c"), part(2, 2, UCS2, "df516843")}, "黄🍑桃", 0},
		"a GBK character cut in two":   {[]Part{part(2, 2, GBK, "c6"), part(1, 2, GBK, "41bb")}, "A黄", 0},
		"the middle is missing":        {[]Part{part(1, 3, UCS2, "9ec4"), part(3, 3, UCS2, "6843")}, "黄……桃", 1},
		"the first and the last are":   {[]Part{part(2, 4, UCS2, "9ec4")}, "……黄……", 3},
		"the same part twice":          {[]Part{part(1, 2, UCS2, "9ec4"), part(1, 2, UCS2, "9ec4"), part(2, 2, UCS2, "6843")}, "黄桃", 0},
		"none":                         {nil, "", 0},
	} {
		if got, missing := Join(c.parts); got != c.want || missing != c.missing {
			t.Errorf("%s: %q, %d missing; want %q, %d", name, got, missing, c.want, c.missing)
		}
	}
}

func TestGSM7(t *testing.T) {
	t.Parallel()
	for text, data := range map[string]string{
		"12345678": "3132333435363738", "1234[6]": "31323334 1b3c 36 1b3e", "^{}\\[~]|€": "1b14 1b28 1b29 1b2f 1b3c 1b3d 1b3e 1b40 1b65", "àèéùìòÇ": "7f0405060708 09",
	} {
		if got, ok := GSM7.Decode(unhex(t, data)); got != text || !ok {
			t.Errorf("%s = %q, want %q", data, got, text)
		}
		if got, ok := AppendGSM7(nil, text); !ok || !slices.Equal(got, unhex(t, data)) {
			t.Errorf("%q = %x, want %s", text, got, data)
		}
	}
	if got, ok := AppendGSM7([]byte{1}, "a黄"); ok || len(got) != 1 {
		t.Errorf("a text with 黄 was written: %x", got)
	}
	if got, _ := GSM7.Decode([]byte{0x1b, 'a', 0x80, 0x1b}); got != "a\ufffd" {
		t.Errorf("got %q", got)
	}
}

func FuzzReceive(f *testing.F) {
	f.Add(int16(UCS2), true, []byte{5, 0, 3, 1, 2, 1, 0x9e, 0xc4})
	f.Add(int16(GBK), false, []byte{0xbb, 0xc6})
	f.Fuzz(func(t *testing.T, coding int16, headed bool, data []byte) {
		text, part, ok := Receive(Coding(coding), headed, data)
		if !ok && (text != "" || part != nil) {
			t.Fatal("nothing for people, and yet something")
		}
		if part != nil && (part.Seq < 1 || part.Seq > part.Total) {
			t.Fatalf("%+v", part)
		}
		if part != nil {
			Join([]Part{*part})
		}
	})
}
