package main

import (
	"context"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/aliyun"
	"github.com/nongxun/nongxun/sms/cmpp"
	"github.com/nongxun/nongxun/sms/smpp"
)

// carrierLine is a gateway that keeps connections up: Run does so until its context ends.
type carrierLine interface {
	sms.Gateway
	Run(ctx context.Context) error
}

// gateway is what the outbox sends texts by: nil where no line is set, the one that is, or a router over several.
func (v *service) gateway(s settings) (sms.Gateway, error) {
	var all []sms.Gateway
	if s.CMPP.Addr != "" {
		c := s.CMPP.config()
		c.Now, c.Log = v.now, v.log
		c.Texts = func(ctx context.Context, texts []sms.Incoming) error { return v.inbox.SMS(ctx, texts) } // made after us
		c.Receipts = func(ctx context.Context, rs []sms.Receipt) error { return v.outbox.SMSReceipts(ctx, rs) }
		line, err := cmpp.New(c)
		if err != nil {
			return nil, err
		}
		all, v.lines = append(all, line), append(v.lines, line)
	}
	if s.SMPP.Addr != "" {
		c := s.SMPP.config()
		c.Now, c.Log = v.now, v.log
		c.Texts = func(ctx context.Context, texts []sms.Incoming) error { return v.inbox.SMS(ctx, texts) }
		c.Receipts = func(ctx context.Context, rs []sms.Receipt) error { return v.outbox.SMSReceipts(ctx, rs) }
		g, err := smpp.New(c)
		if err != nil {
			return nil, err
		}
		all, v.lines = append(all, g), append(v.lines, g)
	}
	if s.Aliyun.AccessKeyID != "" {
		g, err := aliyun.New(aliyun.Config{
			AccessKeyID: s.Aliyun.AccessKeyID, AccessKeySecret: s.Aliyun.AccessKeySecret, SignName: s.Aliyun.SignName,
			Endpoint: s.Aliyun.Endpoint, Templates: s.Aliyun.Templates, Price: s.SMSPrice, Now: v.now, Log: v.log,
		})
		if err != nil {
			return nil, err
		}
		all = append(all, g)
	}
	router, err := sms.NewRouter(all, s.Routes)
	switch {
	case err != nil:
		return nil, settingError{"NONGXUN_SMS_ROUTES", "should name lines that are set (cmpp, smpp, aliyun): " + err.Error()}
	case len(all) == 0:
		return nil, nil
	case len(all) == 1:
		return all[0], nil
	}
	return router, nil
}

// joinLate lets long texts go on whose missing parts do not come.
func (v *service) joinLate(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := v.inbox.JoinLate(ctx); err != nil && ctx.Err() == nil {
			v.log.WarnContext(ctx, "long texts with missing parts wait", "error", err)
		}
	}
}
