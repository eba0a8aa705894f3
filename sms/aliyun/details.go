package aliyun

import (
	"context"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/dysmsapi"

	"github.com/nongxun/nongxun/sms"
)

const (
	detailPage  = 50
	detailPages = 10 // a phone gets at most 50 messages a day from one template
)

// detailRow is a row of QuerySendDetails; its Content is not read.
type detailRow struct {
	ErrCode, OutId        string
	SendDate, ReceiveDate string
	SendStatus            int
}

// Details asks by QuerySendDetails what was sent to the phone on that day in Asia/Shanghai, at most 30 days back. TotalCount can
// exceed the rows, so pages are asked for until one is not full.
func (g *Gateway) Details(ctx context.Context, phone string, day time.Time) ([]sms.Detail, error) {
	phone, ok := sms.NormalPhone(phone)
	if !ok {
		return nil, &sms.Error{Kind: sms.MessageRefused, Code: CodePhone, Message: "不是大陆手机号码"}
	}
	var details []sms.Detail
	for page := 1; page <= detailPages; page++ {
		r := dysmsapi.CreateQuerySendDetailsRequest()
		r.PhoneNumber, r.SendDate = phone, day.In(beijing).Format("20060102")
		r.PageSize, r.CurrentPage = requests.NewInteger(detailPage), requests.NewInteger(page)
		a, err := g.call(ctx, r)
		if err != nil {
			return nil, err
		}
		for _, row := range a.Details.Rows {
			details = append(details, row.detail())
		}
		if len(a.Details.Rows) < detailPage {
			break
		}
	}
	return details, nil
}

func (row detailRow) detail() sms.Detail {
	d := sms.Detail{Ref: row.OutId, Code: row.ErrCode}
	d.SentAt, _ = parseTime(row.SendDate)
	d.At, _ = parseTime(row.ReceiveDate)
	switch row.SendStatus {
	case 3:
		d.Status = sms.Delivered
	case 2:
		d.Status = sms.Failed
	default:
		d.Status = sms.Waiting
	}
	return d
}
