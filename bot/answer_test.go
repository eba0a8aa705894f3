package bot

import (
	"testing"
	"time"
)

// The platform's answers to qrcode/create, menu/get and mass/get hold no errcode when they are good. After a token that had died, the second
// try is a success and must be read as one.
func TestAnswerWithoutErrcodeAfterADeadToken(t *testing.T) {
	p := newPlatform(t)
	c := p.client(ClientConfig{})
	p.always(`{"ticket":"gQ1","expire_seconds":60,"url":"http://weixin.qq.com/q/1"}`)
	if _, _, err := c.SceneQR(t.Context(), "station-430225-01", time.Hour); err != nil {
		t.Fatal(err)
	}
	p.rotate()
	if ticket, _, err := c.SceneQR(t.Context(), "station-430225-01", time.Hour); err != nil || ticket != "gQ1" {
		t.Errorf("QR: %q, %v", ticket, err)
	}
	p.always(`{"msg_id":1,"msg_status":"SEND_SUCCESS"}`)
	p.rotate()
	if state, err := c.MassStatus(t.Context(), 1); err != nil || state != MassSent {
		t.Errorf("mass: %q, %v", state, err)
	}
	p.always(`{"menu":{"button":[{"type":"click","name":"查行情","key":"PRICE"}]}}`)
	p.rotate()
	if m, err := c.GetMenu(t.Context()); err != nil || len(m.Buttons) != 1 {
		t.Errorf("menu: %v, %v", m, err)
	}
}
