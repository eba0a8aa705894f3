package cmpp

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/tshark"
)

// TestTsharkReadsWhatWeWrite: a dissector that no one here wrote finds in each frame of 3.0 the fields that we meant. (It knows no
// SUBMIT and DELIVER of 2.0.)
func TestTsharkReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	l := testLine(t, Config{Sign: "示例县商务局", Version: V30})
	var frames [][]byte
	var want []map[string]string
	add := func(command Command, frame []byte, fields map[string]string) {
		fields["cmpp.Command_Id"] = fmt.Sprintf("0x%08x", uint32(command))
		fields["cmpp.Sequence_Id"] = fmt.Sprint(len(frames) + 1)
		fields["cmpp.Total_Length"] = fmt.Sprint(len(frame))
		frames, want = append(frames, frame), append(want, fields)
	}
	next := func() uint32 { return uint32(len(frames) + 1) }

	at := Timestamp(time.Date(2026, 10, 21, 8, 5, 10, 0, beijing))
	hello := Connect{SPID: "900001", Authenticator: Authenticator("900001", "888888", at), Version: V30, Timestamp: at}
	add(CmdConnect, hello.Append(nil, next()), map[string]string{
		"cmpp.connect.Source_Addr": "900001", "cmpp.Version": "03.00", "cmpp.connect.Timestamp": "10/21 08:05:10",
	})
	add(CmdConnect.Answer(), (&ConnectResp{Version: V30}).Append(nil, V30, next()), map[string]string{"cmpp.connect_resp.Status": "0", "cmpp.Version": "03.00"})
	for _, text := range []string{"登记好了:供应 黄桃 5000斤", strings.Repeat("黄桃又大又甜🍑", 12)} {
		m, refused := l.prepare(sms.Outgoing{Phone: "13900000001", Text: text, Extend: "02"})
		if refused != nil {
			t.Fatal(refused)
		}
		s := sender{Line: l}
		for i := range m.parts {
			s.fill(&m.parts[i])
			frame, err := s.submit.Append(nil, V30, next())
			if err != nil {
				t.Fatal(err)
			}
			total, last, udhi := len(m.parts), "0", "0"
			if i == total-1 {
				last = "1"
			}
			if total > 1 {
				udhi = "1"
			}
			add(CmdSubmit, frame, map[string]string{
				"cmpp.Msg_Id": "0x0000000000000000", "cmpp.submit.Pk_total": fmt.Sprint(total), "cmpp.submit.Pk_number": fmt.Sprint(i + 1),
				"cmpp.submit.Registered_Delivery": last, "cmpp.submit.Msg_level": "0", "cmpp.Servicd_Id": "svc", "cmpp.submit.Fee_UserType": "2",
				"cmpp.submit.Fee_terminal_Id": "", "cmpp.submit.Fee_terminal_type": "0", "cmpp.TP_pId": "0", "cmpp.TP_udhi": udhi, "cmpp.Msg_Fmt": "8",
				"cmpp.submit.Msg_src": "900001", "cmpp.submit.FeeType": "01", "cmpp.submit.FeeCode": "000000", "cmpp.submit.Valld_Time": "",
				"cmpp.submit.At_time": "", "cmpp.submit.Src_Id": "1069000102", "cmpp.submit.DestUsr_tl": "1", "cmpp.Dest_terminal_Id": "13900000001",
				"cmpp.submit.Dest_terminal_type": "0", "cmpp.Msg_Length": fmt.Sprint(len(m.parts[i].content)),
			})
		}
	}
	add(CmdSubmit.Answer(), Resp{0xb4c5530000010007, 8}.Append(nil, CmdSubmit, V30, next()), map[string]string{
		"cmpp.Msg_Id": "0xb4c5530000010007", "cmpp.submit_resp.Result": "8",
	})
	text := Deliver{MsgID: 0xb4c5530000010008, To: "10690001", ServiceID: "svc", Fmt: 8, From: "13900000001", Content: []byte{0x9e, 0xc4}}
	frame, err := text.Append(nil, V30, next())
	if err != nil {
		t.Fatal(err)
	}
	add(CmdDeliver, frame, map[string]string{
		"cmpp.Msg_Id": "0xb4c5530000010008", "cmpp.deliver.Dest_Id": "10690001", "cmpp.Servicd_Id": "svc", "cmpp.Msg_Fmt": "8",
		"cmpp.deliver.Src_terminal_Id": "13900000001", "cmpp.deliver.Registered_Delivery": "0", "cmpp.Msg_Length": "2",
	})
	report := Report{MsgID: 0xb4c5530000010007, Stat: "DELIVRD", Submitted: "2611241200", Done: "2611241201", Phone: "13900000001", Sequence: 7}
	told := Deliver{MsgID: 0xb4c5530000010009, To: "10690001", From: "13900000001", Registered: 1, Content: report.Append(nil, V30)}
	if frame, err = told.Append(nil, V30, next()); err != nil {
		t.Fatal(err)
	}
	add(CmdDeliver, frame, map[string]string{
		"cmpp.deliver.Registered_Delivery": "1", "cmpp.deliver.Report.Status": "DELIVRD", "cmpp.deliver.Report.Submit_time": "2611241200",
		"cmpp.deliver.Report.Done_time": "2611241201", "cmpp.Report.SMSC_sequence": "7",
	})
	add(CmdDeliver.Answer(), Resp{0xb4c5530000010008, 0}.Append(nil, CmdDeliver, V30, next()), map[string]string{
		"cmpp.Msg_Id": "0xb4c5530000010008", "cmpp.deliver_resp.Result": "0",
	})
	add(CmdActiveTest, appendBare(nil, CmdActiveTest, next()), map[string]string{})
	add(CmdActiveTest.Answer(), appendActiveTestResp(nil, next()), map[string]string{})
	add(CmdTerminate, appendBare(nil, CmdTerminate, next()), map[string]string{})

	for i, said := range tshark.Dissect(t, "cmpp", frames) {
		for name, value := range want[i] {
			if got, ok := said[name]; !ok || got != value {
				t.Errorf("frame %d (%s): %s is %q to tshark, want %q", i+1, hex.EncodeToString(frames[i][4:8]), name, got, value)
			}
		}
	}
}
