package emulator

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Button is one of at most three buttons of the menu, or one of at most five below such a button.
type Button struct {
	Type string   `json:"type,omitempty"` // click, view, …; empty with Sub
	Name string   `json:"name"`
	Key  string   `json:"key,omitempty"`
	URL  string   `json:"url,omitempty"`
	Sub  []Button `json:"sub_button,omitempty"`
}

func findButton(menu []Button, keyOrName string) (Button, bool) {
	for _, byName := range []bool{false, true} {
		for _, b := range menu {
			for _, leaf := range append([]Button{b}, b.Sub...) {
				if len(leaf.Sub) == 0 && (!byName && leaf.Key == keyOrName || byName && leaf.Name == keyOrName) {
					return leaf, true
				}
			}
		}
	}
	return Button{}, false
}

// checkButtons applies the limits of 自定义菜单: 3 × 5, names of 16 and 60 bytes, keys of 128, addresses of 1,024.
func checkButtons(buttons []Button, top bool) int {
	most, nameBytes := 5, 60
	if top {
		most, nameBytes = 3, 16
	}
	if len(buttons) == 0 || len(buttons) > most {
		if top {
			return codeButtonCount
		}
		return codeSubButtons
	}
	for _, b := range buttons {
		if b.Name == "" || len(b.Name) > nameBytes {
			return codeButtonName
		}
		if top && len(b.Sub) > 0 {
			if code := checkButtons(b.Sub, false); code != 0 {
				return code
			}
			continue
		}
		switch b.Type {
		case "click", "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin", "location_select":
			if b.Key == "" || len(b.Key) > 128 {
				return codeButtonKey
			}
		case "view":
			if len(b.URL) > 1024 || !strings.HasPrefix(b.URL, "http://") && !strings.HasPrefix(b.URL, "https://") {
				return codeButtonURL
			}
		default:
			return codeButtonType
		}
	}
	return 0
}

func (w *WeChat) createMenu(_ *http.Request, body []byte) (any, int) {
	if bytes.Contains(body, []byte(`\u`)) {
		return nil, codeEscapes
	}
	var in struct {
		Button []Button `json:"button"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	if code := checkButtons(in.Button, true); code != 0 {
		return nil, code
	}
	w.setMenu(in.Button)
	return nil, 0
}

func (w *WeChat) deleteMenu(*http.Request, []byte) (any, int) {
	w.setMenu(nil)
	return nil, 0
}

func (w *WeChat) setMenu(menu []Button) {
	w.mu.Lock()
	w.menu = menu
	w.mu.Unlock()
	if w.o.MenuChanged != nil {
		w.o.MenuChanged(menu)
	}
}

// Menu is the menu as it was created last.
func (w *WeChat) Menu() []Button {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.menu
}

func (w *WeChat) getMenu(*http.Request, []byte) (any, int) {
	menu := w.Menu()
	if menu == nil {
		return nil, codeNoMenu
	}
	return map[string]any{"menu": map[string]any{"button": menu}}, 0
}

// scene is a QR code of the account; a zero end is permanent.
type scene struct {
	value string
	end   time.Time
}

func (w *WeChat) createQR(_ *http.Request, body []byte) (any, int) {
	var in struct {
		Expire int64  `json:"expire_seconds"`
		Action string `json:"action_name"`
		Info   struct {
			Scene struct {
				ID  json.Number `json:"scene_id"`
				Str string      `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	s := scene{value: in.Info.Scene.Str}
	if strings.HasSuffix(in.Action, "STR_SCENE") {
		if len(s.value) < 1 || len(s.value) > 64 {
			return nil, codeBadQRArgument
		}
	} else {
		id, err := strconv.ParseUint(in.Info.Scene.ID.String(), 10, 32)
		if err != nil || id == 0 || in.Action == "QR_LIMIT_SCENE" && id > 100_000 {
			return nil, codeBadQRArgument
		}
		s.value = strconv.FormatUint(id, 10)
	}
	switch in.Action {
	case "QR_SCENE", "QR_STR_SCENE":
		if in.Expire <= 0 {
			in.Expire = 60
		}
		in.Expire = min(in.Expire, 30*24*3600)
		s.end = w.o.Now().Add(time.Duration(in.Expire) * time.Second)
	case "QR_LIMIT_SCENE", "QR_LIMIT_STR_SCENE":
		in.Expire = 0
	default:
		return nil, codeBadQRArgument
	}
	ticket := "gQ" + randomText(94, alphanum)
	w.mu.Lock()
	w.scenes[ticket] = s
	w.mu.Unlock()
	out := map[string]any{"ticket": ticket, "url": "http://weixin.qq.com/q/" + randomText(24, alphanum)}
	if in.Expire > 0 {
		out["expire_seconds"] = in.Expire
	}
	return out, 0
}

// ticket is the code that leads to a scene: one that the account made, else one that was printed before the emulator's time.
func (w *WeChat) ticket(value string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ticket, s := range w.scenes {
		if s.value == value && (s.end.IsZero() || w.o.Now().Before(s.end)) {
			return ticket
		}
	}
	ticket := "gQ" + randomText(94, alphanum)
	w.scenes[ticket] = scene{value: value}
	return ticket
}

// media is a stored file; ids live for three days.
type media struct {
	kind, contentType string
	data              []byte
	at                time.Time
}

const mediaLife = 72 * time.Hour

func (w *WeChat) keep(kind, contentType string, data []byte) string {
	id := randomText(64, alphanum+"-_")
	w.mu.Lock()
	defer w.mu.Unlock()
	for old, m := range w.media {
		if w.o.Now().Sub(m.at) > mediaLife {
			delete(w.media, old)
		}
	}
	w.media[id] = media{kind: kind, contentType: contentType, data: data, at: w.o.Now()}
	return id
}

func (w *WeChat) uploadMedia(r *http.Request, body []byte) (any, int) {
	limits := map[string]int{"image": 10 << 20, "voice": 2 << 20, "video": 10 << 20, "thumb": 64 << 10}
	kind := r.URL.Query().Get("type")
	limit, ok := limits[kind]
	if !ok {
		return nil, codeBadMediaType
	}
	_, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || params["boundary"] == "" {
		return nil, codeMediaMissing
	}
	parts := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := parts.NextPart()
		if err != nil {
			return nil, codeMediaMissing
		}
		if part.FormName() != "media" {
			continue
		}
		data, err := io.ReadAll(part)
		switch {
		case err != nil || part.FileName() == "":
			return nil, codeMediaMissing
		case len(data) == 0:
			return nil, codeEmptyMedia
		case len(data) > limit:
			return nil, codeTooLong
		}
		id := w.keep(kind, http.DetectContentType(data), data)
		return map[string]any{"type": kind, "media_id": id, "created_at": w.o.Now().Unix()}, 0
	}
}

func (w *WeChat) getMedia(rw http.ResponseWriter, r *http.Request) {
	if code := w.checkToken(r); code != 0 {
		w.answer(rw, nil, code)
		return
	}
	w.serveMedia(rw, r.URL.Query().Get("media_id"))
}

// picPath is where pictures are public, as at mmbiz.qpic.cn.
const picPath = "/mmbiz_jpg/"

func (w *WeChat) serveMedia(rw http.ResponseWriter, id string) {
	m, ok := w.mediaByID(id)
	if !ok {
		w.answer(rw, nil, codeBadMediaID)
		return
	}
	rw.Header().Set("Content-Type", m.contentType)
	rw.Header().Set("Content-Disposition", `attachment; filename="media"`)
	_, _ = rw.Write(m.data)
}

func (w *WeChat) mediaByID(id string) (media, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m, ok := w.media[id]
	return m, ok && w.o.Now().Sub(m.at) <= mediaLife
}
