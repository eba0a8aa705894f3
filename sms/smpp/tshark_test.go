package smpp

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nongxun/nongxun/sms"
)

// pcap writes frames as the segments of one TCP connection, each in an IPv4 packet of its own, to port 2775.
func pcap(frames [][]byte) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	file := le.AppendUint32(nil, 0xa1b2c3d4)
	file = le.AppendUint16(le.AppendUint16(file, 2), 4)
	file = append(file, make([]byte, 8)...)
	file = le.AppendUint32(le.AppendUint32(file, 1<<18), 101) // LINKTYPE_RAW
	sequence := uint32(1)
	for i, f := range frames {
		ip := []byte{0x45, 0, 0, 0, 0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1}
		be.PutUint16(ip[2:], uint16(40+len(f)))
		tcp := be.AppendUint16(be.AppendUint16(nil, 40000), 2775)
		tcp = be.AppendUint32(be.AppendUint32(tcp, sequence), 1)
		tcp = append(tcp, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
		sequence += uint32(len(f))
		packet := append(append(ip, tcp...), f...)
		file = le.AppendUint32(le.AppendUint32(file, uint32(i)), 0)
		file = le.AppendUint32(le.AppendUint32(file, uint32(len(packet))), uint32(len(packet)))
		file = append(file, packet...)
	}
	return file
}

// dissect is what tshark says of each frame: the fields of its SMPP layer, by name.
func dissect(t *testing.T, frames [][]byte) []map[string]string {
	t.Helper()
	path, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("NOT TESTED against tshark's dissector: it is missing; make setup-tests installs it (apt-get install --no-install-recommends tshark)")
	}
	file := filepath.Join(t.TempDir(), "smpp.pcap")
	if err := os.WriteFile(file, pcap(frames), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "-n", "-r", file, "-d", "tcp.port==2775,smpp", "-T", "json", "--no-duplicate-keys")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "XDG_CONFIG_HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark: %v", err)
	}
	var packets []struct {
		Source struct {
			Layers map[string]any
		} `json:"_source"`
	}
	if err := json.Unmarshal(out, &packets); err != nil {
		t.Fatal(err)
	}
	if len(packets) != len(frames) {
		t.Fatalf("tshark sees %d packets of %d", len(packets), len(frames))
	}
	var said []map[string]string
	for _, p := range packets {
		m := map[string]string{}
		flatten(p.Source.Layers["smpp"], m)
		for name := range p.Source.Layers {
			if strings.HasPrefix(name, "_ws") {
				m["malformed"] = name
			}
		}
		said = append(said, m)
	}
	return said
}

func flatten(v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if s, ok := value.(string); ok {
				into[name] = s
				continue
			}
			if strings.HasPrefix(name, "_ws") {
				into["malformed"] = name
			}
			flatten(value, into)
		}
	case []any:
		for _, value := range v {
			flatten(value, into)
		}
	}
}

// colons writes bytes as tshark does.
func colons(b []byte) string {
	var out []string
	for _, c := range b {
		out = append(out, hex.EncodeToString([]byte{c}))
	}
	return strings.Join(out, ":")
}

func ucs2(b []byte) string {
	s, _ := sms.UCS2.Decode(b)
	return s
}

func TestTsharkReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	type fields map[string]string
	var frames [][]byte
	var want []fields
	add := func(h Header, body Body, f fields) {
		t.Helper()
		frame, err := Append(nil, h, body)
		if err != nil {
			t.Fatal(err)
		}
		f["smpp.command_id"] = fmt.Sprintf("0x%08x", uint32(h.Command))
		f["smpp.sequence_number"] = fmt.Sprint(h.Sequence)
		f["smpp.command_length"] = fmt.Sprint(len(frame))
		if h.Command.IsResponse() {
			f["smpp.command_status"] = fmt.Sprintf("0x%08x", uint32(h.Status))
		}
		frames, want = append(frames, frame), append(want, f)
	}
	message := func(m *Message, f fields) {
		t.Helper()
		if m.ServiceType != "" {
			f["smpp.service_type"] = m.ServiceType
		}
		f["smpp.source_addr_ton"], f["smpp.source_addr_npi"], f["smpp.source_addr"] = fmt.Sprintf("0x%02x", m.Source.TON), fmt.Sprintf("0x%02x", m.Source.NPI), m.Source.Addr
		f["smpp.dest_addr_ton"], f["smpp.dest_addr_npi"], f["smpp.destination_addr"] = fmt.Sprintf("0x%02x", m.Dest.TON), fmt.Sprintf("0x%02x", m.Dest.NPI), m.Dest.Addr
		f["smpp.protocol_id"], f["smpp.priority_flag"] = fmt.Sprintf("0x%02x", m.ProtocolID), fmt.Sprintf("0x%02x", m.Priority)
		f["smpp.regdel.receipt"] = fmt.Sprintf("0x%02x", m.RegisteredDelivery&3)
		f["smpp.data_coding"] = fmt.Sprintf("0x%02x", m.DataCoding)
		f["smpp.sm_length"] = fmt.Sprint(len(m.ShortMessage))
		if len(m.ShortMessage) > 0 {
			f["smpp.message"] = colons(m.ShortMessage)
		}
		add(Header{Command: SubmitSM, Sequence: uint32(len(frames) + 2)}, m, f)
	}
	add(Header{Command: BindTransceiver, Sequence: 1}, &Bind{SystemID: "nongxun", Password: "secret", SystemType: "VMA", InterfaceVersion: interfaceVersion},
		fields{"smpp.system_id": "nongxun", "smpp.password": "secret", "smpp.system_type": "VMA", "smpp.interface_version": "52", "smpp.addr_ton": "0x00", "smpp.addr_npi": "0x00"})
	text := strings.Repeat("黄桃今日3.5元/斤。", 10)
	for _, long := range []Long{LongUDH, LongSAR, LongPayload} {
		c := composer{source: Address{TON: 5, Addr: "NONGXUN"}, country: "86", alphabet: GSM, long: long, serviceType: "CMT"}
		messages, refused := c.compose(sms.Outgoing{Phone: "13800000001", Text: text})
		if refused != nil {
			t.Fatal(refused)
		}
		for i, m := range messages {
			switch long {
			case LongUDH:
				message(m, fields{"smpp.esm.submit.features": "0x01", "smpp.message_text": ucs2(m.ShortMessage[6:])})
			case LongSAR:
				message(m, fields{"smpp.esm.submit.features": "0x00", "smpp.sar_msg_ref_num": "1", "smpp.sar_total_segments": "2", "smpp.sar_segment_seqnum": fmt.Sprint(i + 1), "smpp.message_text": ucs2(m.ShortMessage)})
			case LongPayload:
				payload, _ := m.TLVs.Get(TagMessagePayload)
				message(m, fields{"smpp.opt_param_tag": "0x0424", "smpp.opt_param_len": fmt.Sprint(len(payload)), "smpp.message_payload": colons(payload), "smpp.message_text": text})
			}
		}
	}
	c := composer{source: Address{Addr: "10690001"}, alphabet: GSM, long: LongUDH}
	short, _ := c.compose(sms.Outgoing{Phone: "13800000001", Text: "Peaches @ 3.5", Extend: "02"})
	message(short[0], fields{})
	add(Header{Command: SubmitSMResp, Sequence: 7}, &SubmitResp{MessageID: "a1b2"}, fields{"smpp.message_id": "a1b2"})
	add(Header{Command: DeliverSMResp, Sequence: 8}, &SubmitResp{}, fields{})
	add(Header{Command: DeliverSMResp, Status: TemporaryErr, Sequence: 9}, &SubmitResp{}, fields{})
	add(Header{Command: EnquireLink, Sequence: 10}, nil, fields{})
	add(Header{Command: EnquireLinkResp, Sequence: 10}, nil, fields{})
	add(Header{Command: Unbind, Sequence: 11}, nil, fields{})
	add(Header{Command: UnbindResp, Sequence: 11}, nil, fields{})
	add(Header{Command: GenericNack, Status: InvalidCmd, Sequence: 12}, nil, fields{})

	for i, said := range dissect(t, frames) {
		if m := said["malformed"]; m != "" {
			t.Errorf("frame %d: tshark calls it %s: %x", i, m, frames[i])
		}
		for name, value := range want[i] {
			if got, ok := said[name]; got != value || !ok {
				t.Errorf("frame %d (%x): tshark reads %s = %q (%v), we wrote %q", i, frames[i][4:8], name, got, ok, value)
			}
		}
		if t.Failed() {
			t.Logf("frame %d: %v", i, said)
		}
	}
}
