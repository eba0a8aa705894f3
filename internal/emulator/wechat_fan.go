package emulator

import (
	"context"
	"errors"
	"fmt"
	"strconv"
)

// ErrNotFollowing is returned when a person who does not follow the account tries to write to it.
var ErrNotFollowing = errors.New("要先关注公众号才能发消息")

// Befriend makes a person a follower without telling the account, as one who followed before it had a server.
func (w *WeChat) Befriend(openid string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fan(openid).follows = true
}

// Block switches 接收消息 off or on for a person: template messages then end with "failed:user block".
func (w *WeChat) Block(openid string, blocked bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fan(openid).blocks = blocked
}

// Text sends a text of the fan. It returns when the callback was answered or has failed for good.
func (w *WeChat) Text(ctx context.Context, openid, content string) error {
	return w.message(ctx, openid, "text", text("Content", content))
}

// Voice sends a voice message with what was recognised in it; the recording itself is a silent one.
func (w *WeChat) Voice(ctx context.Context, openid, recognition string) error {
	id := w.keep("voice", "audio/amr", silence())
	return w.message(ctx, openid, "voice", text("MediaId", id), text("Format", "amr"),
		text("MediaId16K", w.keep("voice", "audio/amr", silence())), text("Recognition", recognition))
}

// Picture sends a picture. It can be fetched by its MediaId and at its PicUrl.
func (w *WeChat) Picture(ctx context.Context, openid, contentType string, data []byte) error {
	return w.picture(ctx, openid, w.keep("image", contentType, data))
}

func (w *WeChat) picture(ctx context.Context, openid, mediaID string) error {
	return w.message(ctx, openid, "image", text("PicUrl", w.o.PicURL+picPath+mediaID+"/0"), text("MediaId", mediaID))
}

// Location sends a place that the fan picked on the map. lat and lng are in degrees.
func (w *WeChat) Location(ctx context.Context, openid, label string, lat, lng float64) error {
	degrees := func(f float64) string { return strconv.FormatFloat(f, 'f', 6, 64) }
	return w.message(ctx, openid, "location",
		element{name: "Location_X", value: degrees(lat), number: true}, element{name: "Location_Y", value: degrees(lng), number: true},
		number("Scale", 15), text("Label", label))
}

func (w *WeChat) message(ctx context.Context, openid, kind string, own ...element) error {
	w.mu.Lock()
	f := w.fan(openid)
	if !f.follows {
		w.mu.Unlock()
		return ErrNotFollowing
	}
	now := w.o.Now()
	f.credits.grant(creditMessage, now)
	w.mu.Unlock()
	fields := append([]element{
		text("ToUserName", w.o.Account), text("FromUserName", openid), number("CreateTime", now.Unix()), text("MsgType", kind),
	}, own...)
	return w.push(ctx, openid, false, append(fields, number("MsgId", w.nextID.Add(1))))
}

// Subscribe follows the account; scene is that of the QR code which was scanned, or "".
func (w *WeChat) Subscribe(ctx context.Context, openid, scene string) error {
	w.mu.Lock()
	f := w.fan(openid)
	f.follows = true
	f.credits.grant(creditFollow, w.o.Now())
	w.mu.Unlock()
	own := []element{text("EventKey", "")}
	if scene != "" {
		own = []element{text("EventKey", "qrscene_"+scene), text("Ticket", w.ticket(scene))}
	}
	return w.event(ctx, openid, "subscribe", false, own...)
}

// Unsubscribe stops following. Nothing can be answered.
func (w *WeChat) Unsubscribe(ctx context.Context, openid string) error {
	w.mu.Lock()
	f := w.fan(openid)
	if !f.follows {
		w.mu.Unlock()
		return ErrNotFollowing
	}
	f.follows, f.credits = false, credits{}
	w.mu.Unlock()
	return w.event(ctx, openid, "unsubscribe", true, text("EventKey", ""))
}

// Scan scans a QR code of the account with the given scene: who does not follow yet follows by it.
func (w *WeChat) Scan(ctx context.Context, openid, scene string) error {
	if scene == "" {
		return errors.New("扫码要有场景值")
	}
	w.mu.Lock()
	f := w.fan(openid)
	follows := f.follows
	if follows {
		f.credits.grant(creditScan, w.o.Now())
	}
	w.mu.Unlock()
	if !follows {
		return w.Subscribe(ctx, openid, scene)
	}
	return w.event(ctx, openid, "SCAN", false, text("EventKey", scene), text("Ticket", w.ticket(scene)))
}

// Click taps a menu button, given by its key or by its name. A button of type view gives a VIEW event.
func (w *WeChat) Click(ctx context.Context, openid, button string) error {
	w.mu.Lock()
	f := w.fan(openid)
	b, found := findButton(w.menu, button)
	if !f.follows {
		w.mu.Unlock()
		return ErrNotFollowing
	}
	if found && b.Type != "view" {
		f.credits.grant(creditClick, w.o.Now())
	}
	w.mu.Unlock()
	switch {
	case !found:
		return fmt.Errorf("菜单里没有 %q", button)
	case b.Type == "view":
		return w.event(ctx, openid, "VIEW", true, text("EventKey", b.URL), text("MenuId", "1"))
	case b.Type == "click":
		return w.event(ctx, openid, "CLICK", false, text("EventKey", b.Key))
	}
	return fmt.Errorf("这里点不了 %q 类型的按钮", b.Type)
}

// event sends an event. No two events of one person share a second: a person cannot tap that fast, and the platform tells
// repeated events apart by nothing but the second.
func (w *WeChat) event(ctx context.Context, openid, kind string, quiet bool, own ...element) error {
	return w.push(ctx, openid, quiet, w.eventFields(openid, kind, own...))
}

func (w *WeChat) eventFields(openid, kind string, own ...element) []element {
	w.mu.Lock()
	f := w.fan(openid)
	at := max(w.o.Now().Unix(), f.lastEvent+1)
	f.lastEvent = at
	w.mu.Unlock()
	return append([]element{
		text("ToUserName", w.o.Account), text("FromUserName", openid), number("CreateTime", at),
		text("MsgType", "event"), text("Event", kind),
	}, own...)
}

// silence is an AMR file without a frame.
func silence() []byte { return []byte("#!AMR\n") }
