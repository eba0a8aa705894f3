package smpp

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// frames are PDUs as others write them: SMSC of carriers (mozes/smpp.pdu, SMSGate), Kannel 1.4.5, the npm package smpp 0.5.1, gosmpp,
// go-smpp and node-smpp in their own tests.
var frames = map[string]struct {
	hex  string
	head Header
	body Body
}{
	"bind of Kannel": {
		"00000020000000090000000000000001666f6f0062617200564d410034000000",
		Header{BindTransceiver, 0, 1},
		&Bind{SystemID: "foo", Password: "bar", SystemType: "VMA", InterfaceVersion: 0x34},
	},
	"bind of npm smpp": {
		"00000020000000090000000000000001666f6f0062617200564d410050000000",
		Header{BindTransceiver, 0, 1},
		&Bind{SystemID: "foo", Password: "bar", SystemType: "VMA", InterfaceVersion: 0x50},
	},
	"bind_resp": {
		"00000017800000090000000000000001706f72742d3100", Header{BindTransceiverResp, 0, 1}, &BindResp{SystemID: "port-1"},
	},
	"bind refused without a body": {"00000010800000090000000e00000d80", Header{BindTransceiverResp, 0x0e, 0xd80}, &BindResp{}},
	"bind_resp, its parameter cut short": {
		"0000001b8000000900000000000000015453493735383800021000",
		Header{BindTransceiverResp, 0, 1},
		&BindResp{SystemID: "TSI7588", TLVs: TLVs{0x02, 0x10, 0x00}},
	},
	"submit_sm of Kannel in UCS2": {
		"0000003e00000004000000000000000300020131303639303030310002013133383030303030303030000300000000110008000a4eca65e582f9679c4ef7",
		Header{SubmitSM, 0, 3},
		&Message{Source: Address{2, 1, "10690001"}, Dest: Address{2, 1, "13800000000"}, ESMClass: 3, RegisteredDelivery: 0x11, DataCoding: 8, ShortMessage: []byte("\x4e\xca\x65\xe5\x82\xf9\x67\x9c\x4e\xf7")},
	},
	"submit_sm of Kannel in GSM": {
		"0000004500000004000000000000000400020131303639303030310002013133383030303030303030000300000000000000001147534d372068656c6c6f2000201b3c1b3e",
		Header{SubmitSM, 0, 4},
		&Message{Source: Address{2, 1, "10690001"}, Dest: Address{2, 1, "13800000000"}, ESMClass: 3, ShortMessage: []byte("GSM7 hello \x00 \x1b<\x1b>")},
	},
	"submit_sm_resp":                   {"0000001980000004000000000000000d666f6f7462616c6c00", Header{SubmitSMResp, 0, 13}, &SubmitResp{MessageID: "football"}},
	"submit_sm_resp, throttled":        {"00000010800000040000005800000001", Header{SubmitSMResp, Throttled, 1}, &SubmitResp{}},
	"deliver_sm_resp":                  {"0000001180000005000000000000000900", Header{DeliverSMResp, 0, 9}, &SubmitResp{}},
	"enquire_link":                     {"00000010000000150000000000000006", Header{EnquireLink, 0, 6}, Raw{}},
	"unbind with a stray byte":         {"00000011000000060000000000000000ff", Header{Unbind, 0, 0}, Raw{0xff}},
	"generic_nack":                     {"00000010800000000000000800000000", Header{GenericNack, 8, 0}, Raw{}},
	"query_sm, which we do not speak":  {"0000001d00000003000000000000000d61776179000d0f416c69636500", Header{3, 0, 13}, Raw("away\x00\x0d\x0fAlice\x00")},
	"a command that nobody speaks":     {"000000100000ffff0000ffff0000ffff", Header{0xffff, 0xffff, 0xffff}, Raw{}},
	"deliver_sm with a string's end":   {"0000003f000000050000000000000001434d540001003334313131343935303030303100010031323334353435350000000000000000f2000648454c4c4f00", Header{DeliverSM, 0, 1}, &Message{ServiceType: "CMT", Source: Address{1, 0, "3411149500001"}, Dest: Address{1, 0, "12345455"}, DataCoding: 0xf2, ShortMessage: []byte("HELLO\x00")}},
	"data_sm with a parameter":         {"0000002a00000103000000000000000d616263000d0f416c696365001307426f62000d135b000700015f", Header{DataSM, 0, 13}, &Message{ServiceType: "abc", Source: Address{0xd, 0xf, "Alice"}, Dest: Address{0x13, 7, "Bob"}, ESMClass: 0xd, RegisteredDelivery: 0x13, DataCoding: 0x5b, TLVs: TLVs{0, 7, 0, 1, 0x5f}}},
	"submit_sm of node-smpp, with UDH": {"0000003f00000004000000000000000200010034363730313133333131310001013436373039373731333337004000000000000001000803240103747b7374", Header{SubmitSM, 0, 2}, &Message{Source: Address{1, 0, "46701133111"}, Dest: Address{1, 1, "46709771337"}, ESMClass: 0x40, DataCoding: 1, ShortMessage: []byte("\x03$\x01\x03t{st")}},
}

func TestFrames(t *testing.T) {
	t.Parallel()
	for name, f := range frames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame := unhex(t, f.hex)
			h, body, err := Decode(frame)
			if err != nil {
				t.Fatal(err)
			}
			if h != f.head {
				t.Errorf("header %+v, want %+v", h, f.head)
			}
			if d := cmp.Diff(f.body, body); d != "" {
				t.Error(d)
			}
			again, err := Append([]byte("before"), h, body)
			if err != nil || !bytes.Equal(again, append([]byte("before"), frame...)) {
				t.Errorf("written: %x (%v)\n   read: %x", again, err, frame)
			}
		})
	}
}

// TestFramesCutAtEveryByte cuts bodies short and lets the length say so: they are read or refused, and what was read is written back.
func TestFramesCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for name, f := range frames {
		frame := unhex(t, f.hex)
		for n := range frame {
			if _, _, err := Decode(frame[:n]); !errors.Is(err, ErrHeader) && !errors.Is(err, ErrLength) {
				t.Fatalf("%s cut at %d and not noticed: %v", name, n, err)
			}
			if n < headerLen {
				continue
			}
			short := append([]byte{0, 0, 0, byte(n)}, frame[4:n]...)
			_, body, err := Decode(short)
			message, _ := f.body.(*Message)
			switch whole := message != nil && n >= len(frame)-len(message.TLVs); {
			case err != nil && !errors.Is(err, ErrBody), message != nil && (err == nil) != whole:
				t.Errorf("%s with a body of %d bytes: %v", name, n-headerLen, err)
			case err == nil && body == nil:
				t.Errorf("%s: no body and no error", name)
			}
		}
	}
}

func TestWhatDoesNotFitIsNotWritten(t *testing.T) {
	t.Parallel()
	for field, body := range map[string]Body{
		"password":      &Bind{Password: "123456789"},
		"system_id":     &Bind{SystemID: "a\x00b"},
		"short_message": &Message{ShortMessage: make([]byte, 255)},
		"source_addr":   &Message{Source: Address{Addr: strings.Repeat("1", 21)}},
		"message_id":    &SubmitResp{MessageID: strings.Repeat("1", 65)},
	} {
		b, err := Append([]byte("before"), Header{Command: SubmitSM}, body)
		if err == nil || !strings.Contains(err.Error(), field) || string(b) != "before" {
			t.Errorf("%s: %q, %v", field, b, err)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	word := func(most int) *rapid.Generator[string] {
		return rapid.StringMatching(`[ -~]*`).Filter(func(s string) bool { return len(s) <= most })
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Custom(func(t *rapid.T) Address {
			return Address{rapid.Byte().Draw(t, "ton"), rapid.Byte().Draw(t, "npi"), word(20).Draw(t, "addr")}
		})
		m := &Message{
			ServiceType: word(5).Draw(t, "service_type"), Source: a.Draw(t, "source"), Dest: a.Draw(t, "dest"), ESMClass: rapid.Byte().Draw(t, "esm"),
			ValidityTime: word(16).Draw(t, "validity"), DataCoding: rapid.Byte().Draw(t, "coding"),
			ShortMessage: rapid.SliceOfN(rapid.Byte(), 0, 254).Draw(t, "text"), RegisteredDelivery: rapid.Byte().Draw(t, "registered"),
		}
		if v := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload"); len(v) > 0 {
			m.TLVs = m.TLVs.Add(TagMessagePayload, v...).Add(TagSARTotalSegments, 3)
			if got, ok := m.TLVs.Get(TagMessagePayload); !ok || !bytes.Equal(got, v) {
				t.Fatalf("payload %x, want %x", got, v)
			}
			if n, ok := m.TLVs.Uint(TagSARTotalSegments); !ok || n != 3 {
				t.Fatalf("total %d %v", n, ok)
			}
		}
		h := Header{Command: rapid.SampledFrom([]Command{SubmitSM, DeliverSM}).Draw(t, "command"), Sequence: rapid.Uint32().Draw(t, "sequence")}
		frame, err := Append(nil, h, m)
		if err != nil {
			t.Fatal(err)
		}
		h2, m2, err := Decode(frame)
		if d := cmp.Diff(m, m2); err != nil || h2 != h || d != "" {
			t.Fatalf("%v %+v %s", err, h2, d)
		}
	})
}

func TestEncodingAllocatesNothing(t *testing.T) {
	m := &Message{Source: Address{Addr: "10690001"}, Dest: Address{1, 1, "8613800000001"}, DataCoding: 8, ShortMessage: make([]byte, 140), TLVs: TLVs{}.Add(TagSARTotalSegments, 2)}
	b := make([]byte, 0, 1024)
	if n := testing.AllocsPerRun(100, func() {
		b, _ = Append(b[:0], Header{Command: SubmitSM, Sequence: 1}, m)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestReceipts(t *testing.T) {
	t.Parallel()
	at := func(s string) time.Time { v, _ := time.Parse("2006-01-02 15:04:05", s); return v }
	for name, c := range map[string]struct {
		text string
		tlvs TLVs
		want receipt
		ok   bool
	}{
		"of a carrier, on its way": {
			"id:94251430923 sub:001 dlvrd:001 submit date:0911040124 done date:0911040124 stat:ACCEPTD err:107 text: 26F102", nil,
			receipt{id: "94251430923", stat: "ACCEPTD", err: "107", submitted: at("2009-11-04 01:24:00"), done: at("2009-11-04 01:24:00")},
			true,
		},
		"of a carrier, with parameters": {
			"id:126e85a6edeac1a02020099312479564 sub:001 dlvrd:001 submit date:1002191630 done date:1002191630 stat:DELIVRD err:000 Text:Hello               ",
			TLVs(unhex(t, "0427000102001e0021313236653835613665646561633161303230323030393933313234373935363400")),
			receipt{id: "126e85a6edeac1a02020099312479564", sureID: true, stat: "DELIVRD", submitted: at("2010-02-19 16:30:00"), done: at("2010-02-19 16:30:00")},
			true,
		},
		"decimal in the text, hexadecimal in the parameter": {
			"id:1891273321 sub:001 dlvrd:001 submit date:1305050826 done date:1305050826 stat:DELIVRD err:000 Text:DLVRD TO MOBILE\x00",
			TLVs(unhex(t, "0427000102001e0009373042413841363900")),
			receipt{id: "70BA8A69", sureID: true, stat: "DELIVRD", submitted: at("2013-05-05 08:26:00"), done: at("2013-05-05 08:26:00")},
			true,
		},
		"parameters alone":                     {"", TLVs{}.Add(TagReceiptedMessageID, 'a', '1', 0).Add(TagMessageState, 5).Add(TagNetworkErrorCode, 3, 0, 11), receipt{id: "a1", sureID: true, stat: "UNDELIV", err: "11"}, true},
		"seconds":                              {"id:1 submit date:261124233015 done date:20261124233115 stat:EXPIRED", nil, receipt{id: "1", stat: "EXPIRED", submitted: at("2026-11-24 23:30:15"), done: at("2026-11-24 23:31:15")}, true},
		"another order, other letters":         {"ID:77 STAT:delivered ERR:000 Done_Date:2611242331 SubmitDate:2611242330", nil, receipt{id: "77", stat: "DELIVRD", submitted: at("2026-11-24 23:30:00"), done: at("2026-11-24 23:31:00")}, true},
		"no value":                             {"id:5 sub: dlvrd: submit date: done date: stat:UNDELIV err: text:", nil, receipt{id: "5", stat: "UNDELIV"}, true},
		"blanks behind the colon":              {"id: 5 stat: REJECTD err: 0x45", nil, receipt{id: "5", stat: "REJECTD", err: "0x45"}, true},
		"the text says something else":         {"id:5 stat:DELIVRD err:000 text:id:6 stat:UNDELIV", nil, receipt{id: "5", stat: "DELIVRD"}, true},
		"no id":                                {"stat:DELIVRD err:000", nil, receipt{stat: "DELIVRD"}, false},
		"nothing":                              {"", nil, receipt{}, false},
		"a state that is no word goes no way":  {"id:5 stat:'; DROP", nil, receipt{id: "5"}, false},
		"a date that is none":                  {"id:5 done date:never stat:DELIVRD", nil, receipt{id: "5", stat: "DELIVRD"}, true},
		"a state of the parameter goes before": {"id:5 stat:ACCEPTD", TLVs{}.Add(TagMessageState, 2), receipt{id: "5", stat: "DELIVRD"}, true},
	} {
		got, ok := receiptOf(&Message{ESMClass: esmReceipt, TLVs: c.tlvs}, c.text, time.UTC)
		if ok != c.ok || got != c.want {
			t.Errorf("%s:\n got %+v %v\nwant %+v %v", name, got, ok, c.want, c.ok)
		}
	}
}

func TestAMessageThatLooksLikeAReceiptIsNone(t *testing.T) {
	t.Parallel()
	for esm, want := range map[byte]bool{0: false, esmReceipt: true, esmReceipt | 3: true, esmIntermediate: true, esmUDHI: false} {
		if got := (&Message{ESMClass: esm, ShortMessage: []byte("id:1 stat:DELIVRD")}).isReceipt(); got != want {
			t.Errorf("esm_class %#x: %v", esm, got)
		}
	}
	if !(&Message{TLVs: TLVs{}.Add(TagReceiptedMessageID, '1').Add(TagMessageState, 2)}).isReceipt() {
		t.Error("a receipt that only its parameters tell")
	}
}

func TestCodings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alphabet   Alphabet
		dataCoding byte
		data       string
		want       string
	}{
		"GSM":                              {GSM, 0, "I luv justin!", "I luv justin!"},
		"GSM's own letters":                {GSM, 0, "\x00 \x1b<\x1b> \x11", "@ [] _"},
		"Latin-1 that says default":        {GSM, 0, "3T- Mobile \xa7 \xa8 N", "3T- Mobile § ¨ N"}, // a carrier's
		"UTF-8 that says default":          {GSM, 0, "黄桃", "黄桃"},
		"default is Latin-1":               {Latin1, 0, "a@b_c", "a@b_c"},
		"IA5":                              {GSM, 1, "a@b_c", "a@b_c"},
		"GSM that says IA5, as npm smpp":   {GSM, 1, "t\x7bst \x00", "täst @"},
		"Latin-1":                          {GSM, 3, "Espa\xf1a", "España"},
		"UCS2":                             {GSM, 8, "\x00\xf1\x9e\xc4", "ñ黄"},
		"UCS2 as a flash message":          {GSM, 0x18, "\x9e\xc4", "黄"},
		"GSM of class 2":                   {GSM, 0xf2, "HELLO", "HELLO"},
		"UCS2 with a sign that it waits":   {GSM, 0xe8, "\x9e\xc4", "黄"},
		"text that says that it is binary": {GSM, 4, "hello", "hello"},
	} {
		if got, _ := c.alphabet.coding(c.dataCoding, []byte(c.data)).Decode([]byte(c.data)); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		alphabet Alphabet
		text     string
		coding   byte
		want     []int
	}{
		"one letter outside GSM":         {GSM, strings.Repeat("a", 69) + "桃", 8, []int{140}},
		"GSM, whole":                     {GSM, strings.Repeat("a", 160), 0, []int{160}},
		"GSM, in parts":                  {GSM, strings.Repeat("a", 161), 0, []int{153, 8}},
		"an escape is not cut":           {GSM, strings.Repeat("a", 152) + "[" + strings.Repeat("a", 10), 0, []int{152, 12}},
		"Latin-1, whole":                 {Latin1, strings.Repeat("é", 140), 0, []int{140}},
		"Latin-1, in parts":              {Latin1, strings.Repeat("é", 141), 0, []int{134, 7}},
		"Latin-1 does not have this one": {Latin1, "€", 8, []int{2}},
	} {
		coding, parts := c.alphabet.split(c.text)
		var got []int
		for _, p := range parts {
			got = append(got, len(p))
		}
		if d := cmp.Diff(c.want, got); coding != c.coding || d != "" {
			t.Errorf("%s: data_coding %d, %s", name, coding, d)
		}
	}
}

func TestMessageIDs(t *testing.T) {
	t.Parallel()
	const phone = "13800000001"
	m := newMessageIDs(ReceiptSame)
	step := func(in, want string, wantLearned bool) {
		t.Helper()
		if got, learned := m.resolve(in, phone, false); got != want || learned != wantLearned {
			t.Errorf("%s is %s (learned %v), want %s (%v)", in, got, learned, want, wantLearned)
		}
	}
	m.accepted("1891273321", phone, "")
	m.accepted("70ba8a70", phone, "")
	step("0005", "5", false)              // nothing known: as it is
	step("70BA8A69", "1891273321", true)  // hexadecimal of one that we know
	step("70BA8A6A", "1891273322", false) // what was learned goes for those that we don't know
	step("70ba8a70", "70ba8a70", true)    // and is unlearned
	step("1891273328", "70ba8a70", true)  // decimal of one that we know
	step("not-a-number", "not-a-number", false)
	m.accepted("9", phone, "ref-9")
	if id, _ := m.resolve("9", phone, false); m.late(id, phone) != "ref-9" || m.late("5", phone) != "" {
		t.Error("the reference of a late answer is lost")
	}
	for range rememberedIDs {
		m.accepted("1", phone, "")
	}
	if m.late("9", phone) != "" {
		t.Error("nothing is forgotten")
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]Address{
		"10690001": {0, 0, "10690001"}, "+8610690001": {1, 1, "8610690001"}, "NONGXUN": {5, 0, "NONGXUN"}, "5,0,Nong Xun": {5, 0, "Nong Xun"}, "3,1,10690001": {3, 1, "10690001"},
	} {
		if got, err := ParseAddress(in); err != nil || got != want {
			t.Errorf("%q: %+v %v, want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "农讯", strings.Repeat("1", 21), "ANAMETHATISLONG", "a,b,c", "9,0,1"} {
		if got, err := ParseAddress(in); err == nil {
			t.Errorf("%q passes as %+v", in, got)
		}
	}
	c := composer{country: "86"}
	for in, want := range map[string]Address{
		"138 0000 0001": {1, 1, "8613800000001"}, "+8613800000001": {1, 1, "8613800000001"}, "+84 9": {}, "+84912345678": {1, 1, "84912345678"}, "0084912345678": {1, 1, "84912345678"}, "912345678": {},
	} {
		if got, _ := c.dest(in); got != want {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range frames {
		f.Add(unhex(f, s.hex))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		h, body, err := Decode(frame)
		if err != nil {
			return
		}
		again, err := Append(nil, h, body)
		if err != nil {
			return // a field that is longer than it may be
		}
		h2, body2, err := Decode(again)
		if err != nil || h2 != h {
			t.Fatalf("%x\nwritten: %x\n%v", frame, again, err)
		}
		if d := cmp.Diff(body, body2); d != "" {
			t.Fatal(d)
		}
	})
}

func FuzzReceipt(f *testing.F) {
	f.Add("id:94251430923 sub:001 dlvrd:001 submit date:0911040124 done date:0911040124 stat:ACCEPTD err:107 text: 26F102", []byte{4, 0x27, 0, 1, 2})
	f.Add("id: sub: done date: stat:", []byte{0, 0x1e, 0, 2, '1', 0})
	f.Fuzz(func(t *testing.T, text string, tlvs []byte) {
		r, ok := receiptOf(&Message{TLVs: tlvs}, text, time.UTC)
		if ok && (r.id == "" || r.stat == "" || r.code() != word(r.stat) && r.code() != r.stat+":"+r.err) {
			t.Fatalf("%+v", r)
		}
		newMessageIDs(ReceiptHex).resolve(r.id, "13800000001", r.sureID)
	})
}

func FuzzDeliver(f *testing.F) {
	f.Add(byte(0x40), byte(8), []byte{5, 0, 3, 1, 2, 1, 0x9e, 0xc4}, []byte{})
	f.Add(byte(0), byte(0), []byte("GY 5000"), []byte{2, 0x0c, 0, 2, 0, 1, 2, 0x0e, 0, 1, 2, 2, 0x0f, 0, 1, 1})
	g, err := New(Config{Addr: "127.0.0.1:2775", SystemID: "x", Number: "1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, esm, coding byte, data, tlvs []byte) {
		in, r := g.read(delivery{message: &Message{ESMClass: esm, DataCoding: coding, ShortMessage: data, TLVs: tlvs}, at: time.Unix(1, 0)})
		if in != nil && r != nil || in != nil && (in.Key == "" || in.Part != nil && in.Text != "") {
			t.Fatalf("%+v %+v", in, r)
		}
		if in != nil && in.Part != nil {
			sms.Join([]sms.Part{*in.Part})
		}
	})
}

// A promotion can be refused: the law wants its last words to say how.
func TestPromotionsEndWithTheOptOutLine(t *testing.T) {
	t.Parallel()
	c := composer{source: Address{Addr: "10690001"}, sign: "【商务局】", alphabet: GSM, long: LongUDH}
	for family, want := range map[string]string{sms.Promotion: "【商务局】桃园开园。拒收请回复R", sms.Notice: "【商务局】桃园开园"} {
		ms, refused := c.compose(sms.Outgoing{Phone: "13800000001", Text: "桃园开园", Family: family})
		if refused != nil {
			t.Fatal(refused)
		}
		if got, _, _ := sms.Receive(sms.UCS2, false, ms[0].ShortMessage); got != want {
			t.Errorf("%s: %q, want %q", family, got, want)
		}
	}
}
