package cmpp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/nongxun/nongxun/sms/internal/line"
)

// ConnectError is a CONNECT that the gateway refused.
type ConnectError struct{ Status uint32 }

func (e *ConnectError) Error() string {
	return fmt.Sprintf("cmpp: the gateway refused CONNECT with status %d (%s)", e.Status, connectMeaning(e.Status))
}

// connect opens a connection and does CONNECT. A refusal is a *ConnectError.
func (l *Line) connect(ctx context.Context) (net.Conn, error) {
	c, err := l.c.Dial(ctx, l.c.Addr)
	if err != nil {
		return nil, fmt.Errorf("cmpp: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	err = l.handshake(c)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = c.Close() // the handshake's error says more
		return nil, err
	}
	return c, nil
}

func (l *Line) handshake(c net.Conn) error {
	at := Timestamp(l.c.Now())
	ask := Connect{SPID: l.c.SPID, Authenticator: Authenticator(l.c.SPID, l.c.Secret, at), Version: l.c.Version, Timestamp: at}
	if _, err := c.Write(ask.Append(nil, 1)); err != nil {
		return fmt.Errorf("cmpp: connect: %w", err)
	}
	frame, err := line.ReadFrame(c, headerLength, maxFrame)
	if err != nil {
		return fmt.Errorf("cmpp: connect: %w", err)
	}
	if got := command(frame); got != CmdConnect.Answer() {
		return fmt.Errorf("%w: %#x in place of CONNECT_RESP", errFrame, uint32(got))
	}
	var resp ConnectResp
	if err := resp.Parse(frame[headerLength:]); err != nil {
		return err
	}
	if resp.Status != 0 {
		return &ConnectError{resp.Status}
	}
	version := l.c.Version
	if v := resp.Version; v < version && (v == V20 || v == V21) {
		l.c.Log.Warn("the gateway speaks an older version", "line", l.c.Name, "asked", version.String(), "speaks", v.String())
		version = v
	}
	l.version.Store(uint32(version)) // a gateway speaks one version on all connections
	if !resp.Genuine(V20, ask.Authenticator, l.c.Secret) && !resp.Genuine(V30, ask.Authenticator, l.c.Secret) {
		if l.c.Strict {
			return errors.New("cmpp: the gateway does not prove that it knows the secret")
		}
		l.c.Log.Debug("the gateway does not prove that it knows the secret, as many do not", "line", l.c.Name)
	}
	return nil
}

// Version is what the gateway and we speak: before the first connection the one that was configured.
func (l *Line) Version() Version { return Version(l.version.Load()) } //nolint:gosec // a version was stored

func command(frame []byte) Command { return Command(binary.BigEndian.Uint32(frame[4:])) }

func sequence(frame []byte) uint32 { return binary.BigEndian.Uint32(frame[8:]) }

func head(frame []byte) (n uint32, isAnswer bool) { return sequence(frame), command(frame)&answer != 0 }

var errTerminated = errors.New("the gateway ended the connection")

// handle does what the gateway asks.
func (l *Line) handle(c *line.Conn, frame []byte) {
	n := sequence(frame)
	switch command(frame) {
	case CmdDeliver:
		l.deliver(c, n, frame[headerLength:])
	case CmdActiveTest:
		c.Reply(func(b []byte) []byte { return appendActiveTestResp(b, n) })
	case CmdTerminate:
		c.End(errTerminated, func(b []byte) []byte { return appendBare(b, CmdTerminate.Answer(), n) })
	default:
		l.c.Log.Warn("a frame that is not for a service provider", "line", l.c.Name, "command", fmt.Sprintf("%#x", uint32(command(frame))))
	}
}

// Query asks what the gateway counted on a day (in Beijing), for one service or, with "", in all.
func (l *Line) Query(ctx context.Context, day time.Time, serviceID string) (Counts, error) {
	q := Query{day.In(beijing).Format("20060102"), serviceID}
	var counts Counts
	err := l.call(ctx, q.Append, counts.Parse)
	return counts, err
}

// Cancel takes back a message that the gateway has not sent yet; id is from the ProviderID of its Result.
func (l *Line) Cancel(ctx context.Context, id MsgID) (cancelled bool, err error) {
	err = l.call(ctx, func(b []byte, n uint32) []byte { return appendCancel(b, id, n) },
		func(body []byte) (err error) { cancelled, err = parseCancelResp(body); return err })
	return cancelled, err
}

// call sends a request and waits for its answer.
func (l *Line) call(ctx context.Context, write func([]byte, uint32) []byte, read func([]byte) error) error {
	result := make(chan error, 2)
	err := l.line.Ask(ctx, func(b []byte, n uint32) ([]byte, error) { return write(b, n), nil }, func(frame []byte, err error) {
		if err == nil {
			err = read(frame[headerLength:])
		}
		result <- err
	})
	if err != nil {
		return err
	}
	l.line.Flush()
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
