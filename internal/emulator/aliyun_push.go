package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Connect sets the callback addresses as the console does: it probes each one with GET first. "" leaves one out.
func (a *Aliyun) Connect(ctx context.Context, upURL, reportURL string) error {
	for _, address := range []string{upURL, reportURL} {
		if address == "" {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, a.o.Patience)
		err := a.post(ctx, http.MethodGet, address, nil)
		cancel()
		if err != nil {
			return fmt.Errorf("emulator: 地址校验失败: %w", err)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.up, a.down = upURL, reportURL
	return nil
}

// post sends a callback once. Only HTTP 200 with a JSON object whose code is a number counts as taken.
func (a *Aliyun) post(ctx context.Context, method, address string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	status, answer, err := fetch(a.client, req)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fmt.Errorf("HTTP %d", status)
	}
	if method == http.MethodGet {
		return nil
	}
	var said struct {
		Code *json.Number `json:"code"`
	}
	if err := json.Unmarshal(answer, &said); err != nil || said.Code == nil {
		return errors.New("the answer holds no code")
	}
	return nil
}

// push sends a callback until it is taken or the retries are used up; then it is lost for good.
func (a *Aliyun) push(ctx context.Context, address string, items any) error {
	body, err := json.Marshal(items)
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		one, cancel := context.WithTimeout(ctx, a.o.Patience)
		err = a.post(one, http.MethodPost, address, body)
		cancel()
		if err == nil || try == len(a.o.RetryAfter) {
			return err
		}
		a.o.Log.Warn("push failed", "try", try+1, "err", err)
		if !pause(ctx, a.o.RetryAfter[try]) {
			return ctx.Err()
		}
	}
}

// upItem is one item of SmsUp; sequence_id was a number until 2022 and is a string now.
type upItem struct {
	Phone    string `json:"phone_number"`
	Content  string `json:"content"`
	SendTime string `json:"send_time"`
	DestCode string `json:"dest_code"`
	Sequence any    `json:"sequence_id"`
}

// destCode is the number that people answer to; the provider makes it up.
const destCode = "1069000430"

// Reply sends a text from a phone to the service (SmsUp). It returns when the push was taken or is lost.
func (a *Aliyun) Reply(ctx context.Context, phone, content string) error {
	a.mu.Lock()
	address := a.up
	a.mu.Unlock()
	if address == "" {
		return errors.New("emulator: no SmsUp address is configured")
	}
	id := a.nextID.Add(1)
	item := upItem{Phone: phone, Content: content, SendTime: providerTime(a.o.Now()), DestCode: destCode, Sequence: strconv.FormatInt(id, 10)}
	if a.o.NumericSequence {
		item.Sequence = id
	}
	return a.push(ctx, address, []upItem{item})
}

type reportItem struct {
	Phone      string `json:"phone_number"`
	SendTime   string `json:"send_time"`
	ReportTime string `json:"report_time"`
	Success    bool   `json:"success"`
	ErrCode    string `json:"err_code"`
	ErrMsg     string `json:"err_msg"`
	Size       string `json:"sms_size"`
	BizID      string `json:"biz_id"`
	OutID      string `json:"out_id"`
}

// report closes n messages from first on after a while and pushes their receipts, as often as ReportCopies says.
func (a *Aliyun) report(first, n int) {
	a.crew.run(func(ctx context.Context) {
		if !pause(ctx, a.o.ReportDelay+a.jitter()) {
			return
		}
		items, address := a.closeDetails(first, n)
		if address == "" {
			return
		}
		for copied := range 1 + a.o.ReportCopies {
			if copied > 0 && !pause(ctx, a.jitter()) {
				return
			}
			if err := a.push(ctx, address, items); err != nil {
				a.o.Log.Warn("a receipt was lost", "err", err)
			}
		}
	})
}

func (a *Aliyun) jitter() time.Duration {
	if a.o.ReportJitter <= 0 {
		return 0
	}
	return rand.N(a.o.ReportJitter)
}

func (a *Aliyun) closeDetails(first, n int) (items []reportItem, address string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.o.Now()
	for i := first; i < first+n; i++ {
		d := &a.details[i]
		d.received, d.status = now, 3
		item := reportItem{
			Phone: d.phone, SendTime: providerTime(d.sent), ReportTime: providerTime(now), Success: true,
			ErrCode: "DELIVERED", ErrMsg: "用户接收成功", Size: strconv.Itoa(smsParts(d.content)), BizID: d.bizID, OutID: d.outID,
		}
		if d.errCode != "" {
			d.status, item.Success, item.ErrCode, item.ErrMsg = 2, false, d.errCode, "发送失败"
		} else {
			d.errCode = item.ErrCode
		}
		items = append(items, item)
	}
	return items, a.down
}
