package smpp

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
	"github.com/nongxun/nongxun/sms/internal/line"
)

// interfaceVersion is 3.4 (SMPP 3.4 §5.2.4).
const interfaceVersion = 0x34

// connect opens a connection and binds as a transceiver. The error is a *sms.Error where the SMSC refused.
func (g *Gateway) connect(ctx context.Context) (net.Conn, error) {
	socket, err := g.config.Dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = socket.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := g.bind(socket); err != nil {
		_ = socket.Close()
		return nil, errors.Join(err, ctx.Err())
	}
	return socket, nil
}

func (g *Gateway) bind(socket net.Conn) error {
	request, err := Append(nil, Header{Command: BindTransceiver, Sequence: 1}, &Bind{
		SystemID: g.config.SystemID, Password: g.config.Password, SystemType: g.config.SystemType, InterfaceVersion: interfaceVersion,
	})
	if err != nil {
		return err
	}
	if _, err := socket.Write(request); err != nil {
		return err
	}
	for range 8 { // some SMSC begin with an enquire_link
		frame, err := line.ReadFrame(socket, headerLen, MaxFrame)
		if err != nil {
			return err
		}
		h, _, err := Decode(frame)
		switch {
		case err != nil:
			return err
		case h.Sequence == 1 && (h.Command == BindTransceiverResp || h.Command == GenericNack):
			if h.Status == OK && h.Command == BindTransceiverResp {
				return nil
			}
			refusal := h.Status.refusal()
			if refusal == nil {
				refusal = &sms.Error{Kind: sms.ChannelStopped, Code: "generic_nack", Message: sayOurs}
			}
			return refusal
		case h.Command == EnquireLink:
			answer, _ := Append(nil, Header{Command: EnquireLinkResp, Sequence: h.Sequence}, nil)
			if _, err := socket.Write(answer); err != nil {
				return err
			}
		}
	}
	return errors.New("smpp: the SMSC did not answer the bind")
}

// refusedAccount tells whether a bind was refused for what only a person can set right. Other refusals pass by themselves: an SMSC that
// has not noticed yet that the last connection is gone says that the account is bound already.
func refusedAccount(err error) bool {
	var e *sms.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "ESME_RINVPASWD", "ESME_RINVSYSID", "ESME_RINVSYSTYP", "ESME_RINVCMDID":
		return true
	}
	return false
}

// dialer connects to host:port, or by TLS to tls://host:port.
func dialer(addr string) func(context.Context) (net.Conn, error) {
	plain := &net.Dialer{KeepAlive: 30 * time.Second}
	if host, ok := strings.CutPrefix(addr, "tls://"); ok {
		d := &tls.Dialer{NetDialer: plain, Config: &tls.Config{MinVersion: tls.VersionTLS12}}
		return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", host) }
	}
	return func(ctx context.Context) (net.Conn, error) { return plain.DialContext(ctx, "tcp", addr) }
}

// CheckAddr tells whether addr is host:port or tls://host:port.
func CheckAddr(addr string) error {
	if host, port, err := net.SplitHostPort(strings.TrimPrefix(addr, "tls://")); err != nil || host == "" || port == "" {
		return errors.New("smpp: Addr must be host:port or tls://host:port")
	}
	return nil
}
