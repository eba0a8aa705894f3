package bot

import (
	"context"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/silenceper/wechat/v2/officialaccount/basic"
)

// maxQRLife is how long a temporary QR code can live.
const maxQRLife = 30 * 24 * time.Hour

// SceneQR makes a QR code that leads to the account and names scene in Message.Scene when scanned. expire 0 makes it permanent
// (an account may have 100,000), else it lives that long, at most 30 days, in whole seconds. A scene is 1 to 64 characters; one that is a
// number which fits is sent as a number and comes back the same. The ticket goes into QRImageURL, url is what the code itself holds.
func (c *Client) SceneQR(ctx context.Context, scene string, expire time.Duration) (ticket, url string, err error) {
	if n := utf8.RuneCountInString(scene); n < 1 || n > 64 || clean(scene) != scene {
		return "", "", &Error{Kind: Refused, Op: opQR.path, Message: "a scene has 1 to 64 characters"}
	}
	if expire < 0 || expire > maxQRLife || expire > 0 && expire < time.Second {
		return "", "", &Error{Kind: Refused, Op: opQR.path, Message: "a QR code lives 1 second to 30 days, or for ever"}
	}
	var out basic.Ticket
	if err := c.call(ctx, opQR, qrRequest(scene, expire), &out); err != nil {
		return "", "", err
	}
	if out.Ticket == "" {
		return "", "", &Error{Kind: RetryLater, Op: opQR.path, Message: "the answer holds no ticket"}
	}
	return out.Ticket, out.URL, nil
}

// qrRequest sends a number as scene_id (32 bits for a temporary code, up to 100,000 for a permanent one), else scene_str.
// silenceper's own constructors panic on any integer type but int.
func qrRequest(scene string, expire time.Duration) *basic.Request {
	limit, id := uint64(1<<32-1), 0
	if expire == 0 {
		limit = 100_000
	}
	n, err := strconv.ParseUint(scene, 10, 32)
	if err == nil && n > 0 && n <= limit && strconv.FormatUint(n, 10) == scene {
		id = int(n)
	}
	switch {
	case expire == 0 && id != 0:
		return basic.NewLimitQrRequest(id)
	case expire == 0:
		return basic.NewLimitQrRequest(scene)
	case id != 0:
		return basic.NewTmpQrRequest(expire, id)
	}
	return basic.NewTmpQrRequest(expire, scene)
}

// QRImageURL is where the picture of a QR code lies, by its ticket.
func QRImageURL(ticket string) string {
	return "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=" + url.QueryEscape(ticket)
}
