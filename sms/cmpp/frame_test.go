package cmpp

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// nul is n bytes of 0 in hex.
func nul(n int) string { return strings.Repeat("00", n) }

// Frame is a frame taken apart.
type Frame struct {
	Command  Command
	Sequence uint32
	Body     []byte
}

func readFrame(r io.Reader) (Frame, error) {
	b, err := line.ReadFrame(r, headerLength, maxFrame)
	if err != nil {
		return Frame{}, err
	}
	return Frame{command(b), sequence(b), b[headerLength:]}, nil
}

// frame reads the one frame of data.
func frame(t testing.TB, data []byte) Frame {
	t.Helper()
	f, err := readFrame(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Body)+headerLength != len(data) {
		t.Fatalf("a frame of %d bytes was read from %d", len(f.Body)+headerLength, len(data))
	}
	return f
}

// The payloads of real gateways and of other programs' tests, field by field as in the specification.
var (
	submit20 = "000000bd 00000004 00000017" + nul(8) + "01010101" + "74657374" + nul(6) + "02" + "3133353030303032363936" + nul(10) +
		"000008" + "393030303031" + "3032" + "3130" + nul(4) + "3135313130353133313535353130312b" + nul(1) + nul(17) + "393030303031" + nul(15) +
		"01" + "3133353030303032363936" + nul(10) + "1e" + "6d4b8bd50067006f0063006d007000700020007300750062006d00690074" + nul(8)
	submit30 = "000000e1 00000004 00000017" + nul(8) + "01010101" + "74657374" + nul(6) + "02" + "3133353030303032363936" + nul(21) + "00" +
		"000008" + "393030303031" + "3032" + "3130" + nul(4) + "3135313130353133313535353130312b" + nul(1) + nul(17) + "393030303031" + nul(15) +
		"01" + "3133353030303032363936" + nul(21) + "00" + "1e" + "6d4b8bd50067006f0063006d007000700020007300750062006d00690074" + nul(20)
	deliver20 = "00000067 00000005 00000005" + "b525628000010000" + "393030303031" + nul(15) + nul(10) + "000000" + "3133343132333430303030" + nul(10) +
		"00" + "12" + "5468697320697320612074657374204d4f2e" + nul(8)
	deliver30 = "0000007f 00000005 00000001" + "b4c5530000010000" + "393030303031" + nul(15) + nul(10) + "000000" + "3133343132333430303030" + nul(21) + "00" +
		"00" + "12" + "5468697320697320612074657374204d4f2e" + nul(20)
	// A report of 60 bytes in a DELIVER of 3.0, whose sender's number fills its field again and again.
	deliverShortReport = "000000a9 00000005 00bc614e" + "c2cf84f10ce0003f" + "313030383639383831303038363938383130303836" + nul(10) + "00000f" +
		"3138373033383135363535313837303338313536353531383730333831353635" + "00" + "01" + "3c" +
		"c2cf8400a37359d8" + "44454c49565244" + "32323132303531393536" + "32323132303531393536" + "3130303836393838" + nul(13) + "000000ff" +
		"3030303030303030303030303031323334353600"
	// One of 71 bytes, with a state and times that the specification does not know.
	deliverLongReport = "000000b4 00000005 00bc614e" + "522a4980002aa6ce" + "3130303835313031" + nul(13) + "636d63637a785f736d73" + "000000" +
		"3133353932323631373931" + nul(21) + "00" + "01" + "47" +
		"522a4980002aa6cd" + "41463a34" + nul(3) + "30303031303130303030" + "30303031303130303030" + "3133353932323631373931" + nul(21) + "00000000" + nul(20)
)

func TestPayloads(t *testing.T) {
	t.Parallel()
	content := unhex(t, "6d4b8bd50067006f0063006d007000700020007300750062006d00690074")
	sub := Submit{
		PartTotal: 1, PartSeq: 1, Registered: 1, Level: 1, ServiceID: "test", FeeUser: 2, FeePhone: "13500002696", Fmt: 8, SPID: "900001",
		FeeType: "02", FeeCode: "10", ValidUntil: "151105131555101+", From: "900001", To: []string{"13500002696"}, Content: content,
	}
	for name, v := range map[string]Version{submit20: V20, submit30: V30} {
		data := unhex(t, name)
		f := frame(t, data)
		var got Submit
		if err := got.Parse(f.Body, v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sub, got); diff != "" {
			t.Errorf("%s: %s", v, diff)
		}
		if back, err := got.Append(nil, v, f.Sequence); err != nil || !bytes.Equal(back, data) {
			t.Errorf("%s: written back as %x", v, back)
		}
	}
	for _, c := range []struct {
		data string
		v    Version
		want Deliver
	}{
		{deliver20, V21, Deliver{MsgID: 0xb525628000010000, To: "900001", From: "13412340000", Content: []byte("This is a test MO.")}},
		{deliver30, V30, Deliver{MsgID: 0xb4c5530000010000, To: "900001", From: "13412340000", Content: []byte("This is a test MO.")}},
	} {
		data := unhex(t, c.data)
		f := frame(t, data)
		var got Deliver
		if err := got.Parse(f.Body, c.v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.v, diff)
		}
		if back, err := got.Append(nil, c.v, f.Sequence); err != nil || !bytes.Equal(back, data) {
			t.Errorf("%s: written back as %x", c.v, back)
		}
	}
}

func TestReports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deliver string
		want    Report
		phone   string
	}{
		"60 bytes in 3.0": {deliverShortReport, Report{0xc2cf8400a37359d8, "DELIVRD", "2212051956", "2212051956", "10086988", 0xff}, "18703815655"},
		"71 bytes":        {deliverLongReport, Report{0x522a4980002aa6cd, "AF:4", "0001010000", "0001010000", "13592261791", 0}, "13592261791"},
	} {
		data := unhex(t, c.deliver)
		f := frame(t, data)
		var d Deliver
		var r Report
		if err := d.Parse(f.Body, V30); err != nil {
			t.Fatal(name, err)
		}
		if back, err := d.Append(nil, V30, f.Sequence); err != nil || !bytes.Equal(back, data) {
			t.Errorf("%s: written back as %x", name, back)
		}
		if err := r.Parse(d.Content); err != nil {
			t.Fatal(name, err)
		}
		if diff := cmp.Diff(c.want, r); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		v := V30
		if len(d.Content) == shortReport {
			v = V20
		}
		if back := r.Append(nil, v); !bytes.Equal(back, d.Content) {
			t.Errorf("%s: written back as %x", name, back)
		}
		l := testLine(t, Config{})
		got := l.read(Inbound{Deliver: d})
		if got.receipt == nil || got.receipt.Phone != c.phone || got.text != nil {
			t.Errorf("%s: receipt %+v", name, got.receipt)
		}
	}
	if err := new(Report).Parse(make([]byte, 65)); err == nil {
		t.Error("a report of 65 bytes was read")
	}
	if got := reportTime("0001010000"); !got.IsZero() {
		t.Errorf("0001010000 is %s", got)
	}
}

func TestSmallFrames(t *testing.T) {
	t.Parallel()
	// CONNECT and its answers in 2.1 and 3.0, with their digests.
	ask := unhex(t, "00000027 00000001 00000017 393030303031 90d00c1d517abd0b4f65f6bcf8535d16 21 3cdc73be")
	var c Connect
	if err := c.Parse(frame(t, ask).Body); err != nil || c.SPID != "900001" || c.Version != V21 || c.Timestamp != 1021080510 {
		t.Fatalf("%+v %v", c, err)
	}
	if c.Authenticator != Authenticator("900001", "888888", 1021080510) {
		t.Error("AuthenticatorSource differs")
	}
	if back := c.Append(nil, 0x17); !bytes.Equal(back, ask) {
		t.Errorf("written back as %x", back)
	}
	for data, v := range map[string]Version{
		"0000001e 80000001 00000017 00 6c0b846e25bab6daa4ed1c466e0f4bd8 21":       V21,
		"00000021 80000001 00000017 00000000 7942977274098cf210ab0c16c367bc8d 30": V30,
	} {
		var r ConnectResp
		raw := unhex(t, data)
		if err := r.Parse(frame(t, raw).Body); err != nil || r.Status != 0 || r.Version != v {
			t.Fatalf("%+v %v", r, err)
		}
		if !r.Genuine(v, c.Authenticator, "888888") || r.Genuine(v, c.Authenticator, "888889") {
			t.Error("AuthenticatorISMG is not understood")
		}
		if back := r.Append(nil, v, 0x17); !bytes.Equal(back, raw) {
			t.Errorf("written back as %x", back)
		}
	}
	for data, v := range map[string]Version{
		"00000015 80000004 00000017 b2b9da8000010000 00":       V20,
		"00000018 80000004 00000017 b2b9da8000010000 00000000": V30,
	} {
		var r Resp
		raw := unhex(t, data)
		if err := r.Parse(frame(t, raw).Body); err != nil || r.MsgID != 0xb2b9da8000010000 || r.Result != 0 {
			t.Fatalf("%+v %v", r, err)
		}
		if back := r.Append(nil, CmdSubmit, v, 0x17); !bytes.Equal(back, raw) {
			t.Errorf("written back as %x", back)
		}
	}
	for got, want := range map[string]string{
		hex.EncodeToString(appendBare(nil, CmdTerminate, 0x17)):          "0000000c0000000200000017",
		hex.EncodeToString(appendBare(nil, CmdTerminate.Answer(), 0x17)): "0000000c8000000200000017",
		hex.EncodeToString(appendBare(nil, CmdActiveTest, 0x17)):         "0000000c0000000800000017",
		hex.EncodeToString(appendActiveTestResp(nil, 0x17)):              "0000000d800000080000001700",
		hex.EncodeToString(appendCancel(nil, 0xb2b9da8000010000, 1)):     "000000140000000700000001b2b9da8000010000",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	q := Query{"20261124", "svc"}
	raw := q.Append(nil, 3)
	var back Query
	if err := back.Parse(frame(t, raw).Body); err != nil || back != q || len(raw) != 39 {
		t.Errorf("%+v %v", back, err)
	}
	n := Counts{"20261124", "svc", 1, 2, 3, 4, 5, 6, 7, 8}
	var counted Counts
	if err := counted.Parse(frame(t, n.Append(nil, 3)).Body); err != nil || counted != n {
		t.Errorf("%+v %v", counted, err)
	}
	for body, want := range map[string]bool{"00": true, "01": false, "00000000": true, "00000001": false} {
		if got, err := parseCancelResp(unhex(t, body)); err != nil || got != want {
			t.Errorf("CANCEL_RESP %s: %v %v", body, got, err)
		}
	}
}

func TestMsgIDHasATimeAndNoYear(t *testing.T) {
	t.Parallel()
	newYear := time.Date(2027, 1, 1, 0, 3, 0, 0, beijing)
	for _, c := range []struct {
		id   MsgID
		now  time.Time
		want string
	}{
		{0xb4c5530000010000, time.Date(2026, 11, 9, 17, 30, 0, 0, beijing), "2026-11-09 17:21:12"},
		{0xb2b9da8000010000, time.Date(2027, 1, 2, 0, 0, 0, 0, beijing), "2026-11-05 14:29:42"},
		{0xcfdfb00000010000, newYear, "2026-12-31 23:59:00"},
		{0x1080000000010000, time.Date(2026, 12, 31, 23, 59, 0, 0, beijing), "2027-01-01 00:00:00"},
		{0x0000000000000001, newYear, ""},
		{0xffffffffffffffff, newYear, ""},
	} {
		got, ok := c.id.Time(c.now)
		if s := got.Format(time.DateTime); ok != (c.want != "") || ok && s != c.want {
			t.Errorf("%x is %s %v, want %q", uint64(c.id), s, ok, c.want)
		}
	}
}

func TestPhonesAsGatewaysWriteThem(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"13412340000": "13412340000", "8613817308833": "13817308833", "+8613817308833": "13817308833", "18703815655187038156551870381565": "18703815655",
		"86138173088338613817308833861381": "13817308833", "10086": "10086", "106900001234567": "106900001234567", "": "",
	} {
		if got := cleanPhone(given); got != want {
			t.Errorf("%q is %q, want %q", given, got, want)
		}
	}
}

// TestFramesCutAtEveryByte: a stream that ends anywhere gives the log-in's answer and DELIVERs that are whole, and no other; what comes in
// two pieces, cut anywhere, gives all.
func TestFramesCutAtEveryByte(t *testing.T) {
	t.Parallel()
	stream := (&ConnectResp{Version: V30}).Append(nil, V30, 1)
	ends := []int{len(stream)}
	for _, s := range []string{deliver30, deliverShortReport, "0000000c0000000800000017", deliver30} {
		stream = append(stream, unhex(t, s)...)
		ends = append(ends, len(stream))
	}
	for cut := ends[0]; cut <= len(stream); cut++ {
		for _, whole := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) { cutStream(t, stream, ends, cut, whole) })
		}
	}
	for _, s := range []string{"0000000b0000000800000017", "000020010000000800000017", "ffffffff0000000800000017"} {
		if _, err := readFrame(bytes.NewReader(unhex(t, s))); !errors.Is(err, line.ErrFrame) {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// cutStream plays a gateway that writes a stream up to a cut, then the rest or nothing.
func cutStream(t *testing.T, stream []byte, ends []int, cut int, whole bool) {
	ours, theirs := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, theirs) }()
	go func() {
		_, _ = theirs.Write(stream[:cut])
		if whole {
			time.Sleep(time.Second)
			_, _ = theirs.Write(stream[cut:])
		}
		_ = theirs.Close()
	}()
	dials := 0
	l := testLine(t, Config{Version: V30, Dial: func(context.Context, string) (net.Conn, error) {
		if dials++; dials > 1 {
			return nil, errors.New("no second time")
		}
		return ours, nil
	}})
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	l.line.Run(ctx)
	want := 0
	for i, e := range ends {
		if (e <= cut || whole) && i != 0 && i != 3 { // the log-in's answer and ACTIVE_TEST are no DELIVERs
			want++
		}
	}
	if got := len(l.inbound); got != want {
		t.Errorf("cut at %d (rest follows: %v): %d DELIVERs, want %d", cut, whole, got, want)
	}
}

// TestBodiesCutAtEveryByte: a body that is not exactly as long as it says is no body.
func TestBodiesCutAtEveryByte(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data  string
		parse func([]byte) error
	}{
		"SUBMIT 2.0":  {submit20, func(b []byte) error { return new(Submit).Parse(b, V20) }},
		"SUBMIT 3.0":  {submit30, func(b []byte) error { return new(Submit).Parse(b, V30) }},
		"DELIVER 2.0": {deliver20, func(b []byte) error { return new(Deliver).Parse(b, V20) }},
		"DELIVER 3.0": {deliver30, func(b []byte) error { return new(Deliver).Parse(b, V30) }},
	} {
		body := unhex(t, c.data)[headerLength:]
		for cut := range body {
			if err := c.parse(body[:cut]); !errors.Is(err, errFrame) {
				t.Errorf("%s cut at %d: %v", name, cut, err)
			}
		}
		if err := c.parse(append(body, 0)); !errors.Is(err, errFrame) {
			t.Errorf("%s with a byte too many: %v", name, err)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	word := func(n int) *rapid.Generator[string] {
		return rapid.StringOfN(rapid.RuneFrom([]rune("0123456789+A")), 0, n, n)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom([]Version{V20, V21, V30}).Draw(t, "version")
		s := Submit{
			MsgID: MsgID(rapid.Uint64().Draw(t, "id")), PartTotal: rapid.Byte().Draw(t, "total"), Registered: rapid.Byte().Draw(t, "registered"),
			ServiceID: word(10).Draw(t, "service"), FeePhone: word(21).Draw(t, "fee"), TPudhi: rapid.Byte().Draw(t, "udhi"), Fmt: rapid.Byte().Draw(t, "fmt"),
			SPID: word(6).Draw(t, "sp"), FeeCode: word(6).Draw(t, "code"), From: word(21).Draw(t, "from"), To: rapid.SliceOfN(word(21), 1, 99).Draw(t, "to"),
			Content: rapid.SliceOfN(rapid.Byte(), 1, 255).Draw(t, "content"), LinkID: word(8).Draw(t, "link"),
		}
		data, err := s.Append([]byte("before"), v, 9)
		if err != nil {
			t.Fatal(err)
		}
		var got Submit
		if err := got.Parse(data[6+headerLength:], v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s, got); diff != "" {
			t.Fatal(diff)
		}
	})
	for _, s := range []Submit{{}, {To: make([]string, 100)}, {To: []string{"1"}, Content: make([]byte, 256)}} {
		if _, err := s.Append(nil, V30, 1); err == nil {
			t.Errorf("%d phones and %d bytes were written", len(s.To), len(s.Content))
		}
	}
}

func TestEncodingAllocatesNothing(t *testing.T) {
	s := Submit{ServiceID: "svc", SPID: "900001", From: "106900001", To: []string{"13500002696"}, Content: make([]byte, 140), Fmt: 8}
	buf := make([]byte, 0, 1024)
	for name, write := range map[string]func(){
		"SUBMIT":       func() { _, _ = s.Append(buf, V30, 1) },
		"DELIVER_RESP": func() { Resp{1, 0}.Append(buf, CmdDeliver, V30, 1) },
		"ACTIVE_TEST":  func() { appendBare(buf, CmdActiveTest, 1) },
	} {
		if n := testing.AllocsPerRun(100, write); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func FuzzBodies(f *testing.F) {
	for _, s := range []string{submit20, submit30, deliver20, deliver30, deliverShortReport, deliverLongReport} {
		f.Add(unhex(f, s)[headerLength:], s == submit30 || s == deliver30)
	}
	f.Fuzz(func(t *testing.T, body []byte, three bool) {
		v := V20
		if three {
			v = V30
		}
		var s, s2 Submit
		if s.Parse(body, v) == nil && len(s.To) > 0 && len(s.To) < 100 {
			back, err := s.Append(nil, v, 1)
			if err != nil {
				t.Fatal(err)
			}
			if err = s2.Parse(back[headerLength:], v); err != nil || !cmp.Equal(s, s2) {
				t.Fatalf("%v %s", err, cmp.Diff(s, s2))
			}
		}
		var d Deliver
		if d.Parse(body, v) == nil {
			_, _, _ = sms.Receive(coding(d.Fmt), d.TPudhi&0x41 != 0, d.Content)
			_ = new(Report).Parse(d.Content)
			cleanPhone(d.From)
		}
		_ = new(Connect).Parse(body)
		_ = new(ConnectResp).Parse(body)
		_ = new(Resp).Parse(body)
		_ = new(Counts).Parse(body)
		_, _ = parseCancelResp(body)
	})
}

func FuzzStream(f *testing.F) {
	f.Add(unhex(f, submit20))
	f.Add(append(unhex(f, deliver30), 0, 0, 0))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bytes.NewReader(data)
		for {
			before := r.Len()
			fr, err := readFrame(r)
			if err != nil {
				return
			}
			if read := headerLength + len(fr.Body); read != before-r.Len() || read > maxFrame {
				t.Fatalf("a frame of %d bytes was read from %d", read, before-r.Len())
			}
		}
	})
}
