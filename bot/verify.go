package bot

import (
	"bytes"
	"errors"
	"net/url"
	"strconv"
	"time"
)

// opened is a body whose sender is proved. key is what it was encrypted with, and what the answer is to be encrypted with; nil: plain.
type opened struct {
	body []byte
	key  *aesKey
}

// open verifies a body in the configured mode and decrypts it.
func (h *Handler) open(q url.Values, body []byte) (opened, error) {
	sealed := sealedBody(body)
	switch {
	case sealed == "" && h.cfg.Mode == Secure, sealed != "" && h.cfg.Mode == Plain:
		return opened{}, errMode
	case sealed == "":
		if !signed(q.Get("signature"), h.cfg.Token, q.Get("timestamp"), q.Get("nonce")) {
			return opened{}, errSignature
		}
		return opened{body: body}, nil
	}
	if !signed(q.Get("msg_signature"), h.cfg.Token, q.Get("timestamp"), q.Get("nonce"), sealed) {
		return opened{}, errSignature
	}
	return h.decrypt(sealed)
}

// decrypt tries the current key, then the previous one. The platform wants the answer in the key that it used itself.
func (h *Handler) decrypt(sealed string) (opened, error) {
	err := errCipher
	for i := range h.keys {
		body, e := h.keys[i].decrypt(sealed, h.cfg.AppID)
		if e == nil {
			return opened{body: body, key: &h.keys[i]}, nil
		}
		if errors.Is(e, errAppID) {
			err = e
		}
	}
	return opened{}, err
}

// openEcho verifies the console's check of our address and returns what it wants to hear. A service account sends echostr as
// it is; other kinds of account send it encrypted, with msg_signature alone.
func (h *Handler) openEcho(q url.Values) ([]byte, error) {
	if err := h.fresh(q); err != nil {
		return nil, err
	}
	echo, timestamp, nonce := q.Get("echostr"), q.Get("timestamp"), q.Get("nonce")
	if q.Get("signature") == "" && q.Get("msg_signature") != "" && len(h.keys) > 0 {
		if !signed(q.Get("msg_signature"), h.cfg.Token, timestamp, nonce, echo) {
			return nil, errSignature
		}
		in, err := h.decrypt(echo)
		return in.body, err
	}
	if !signed(q.Get("signature"), h.cfg.Token, timestamp, nonce) {
		return nil, errSignature
	}
	return []byte(echo), nil
}

// fresh checks the signed timestamp against the clock.
func (h *Handler) fresh(q url.Values) error {
	if h.cfg.Freshness == 0 {
		return nil
	}
	sec, err := strconv.ParseInt(q.Get("timestamp"), 10, 64)
	if err != nil || sec < 0 || sec > lastSecond {
		return errStale
	}
	if h.cfg.Now().Sub(time.Unix(sec, 0)).Abs() > h.cfg.Freshness {
		return errStale
	}
	return nil
}

// sealedBody is the Encrypt of a body's envelope, "" where it has none.
func sealedBody(body []byte) string {
	var room [4]leaf
	var leaves []leaf
	switch {
	case !bytes.Contains(body, []byte("Encrypt")):
		return ""
	case isJSON(body):
		leaves, _ = jsonLeaves(body)
	default:
		leaves, _ = xmlLeaves(room[:0], string(body))
	}
	for _, l := range leaves {
		if l.path == "Encrypt" {
			return l.value
		}
	}
	return ""
}
