package smpp

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/tshark"
)

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

	for i, said := range tshark.Dissect(t, "smpp", frames) {
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
