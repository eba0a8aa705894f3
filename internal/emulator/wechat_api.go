package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// errcodes of the platform (全局返回码).
const (
	codeBusy          = -1
	codeTokenInvalid  = 40001
	codeBadGrant      = 40002
	codeBadOpenID     = 40003
	codeBadMediaType  = 40004
	codeBadMediaID    = 40007
	codeBadMsgType    = 40008
	codeBadAppID      = 40013
	codeButtonCount   = 40016
	codeButtonType    = 40017
	codeButtonName    = 40018
	codeButtonKey     = 40019
	codeButtonURL     = 40020
	codeSubButtons    = 40023
	codeEscapes       = 40033
	codeListLength    = 40032
	codeTemplateID    = 40037
	codeBadMsgID      = 40059
	codeInvalidURL    = 40066
	codeBadSecret     = 40125
	codeTokenMissing  = 41001
	codeMediaMissing  = 41005
	codeTokenExpired  = 42001
	codeNeedPost      = 43002
	codeNotFollowing  = 43004
	codeRefused       = 43101
	codeEmptyMedia    = 44001
	codeEmptyBody     = 44002
	codeEmptyText     = 44004
	codeTooLong       = 45002
	codeDailyQuota    = 45009
	codeFrequency     = 45011
	codeWindowClosed  = 45015
	codeCountUsedUp   = 45047
	codeRefExists     = 45065
	codeRefTooSoon    = 45066
	codeRefTooLong    = 45067
	codeNoMenu        = 46003
	codeBadJSON       = 47001
	codeBadArgument   = 47003
	codeBadQRArgument = 40053
)

// wording is the errmsg of each code.
func wording(code int) string {
	switch code {
	case 0:
		return "ok"
	case codeBusy:
		return "system error"
	case codeTokenInvalid:
		return "invalid credential, access_token is invalid or not latest"
	case codeBadGrant:
		return "invalid grant_type"
	case codeBadOpenID:
		return "invalid openid"
	case codeBadMediaType:
		return "invalid media type"
	case codeBadMediaID:
		return "invalid media_id"
	case codeBadMsgType:
		return "invalid message type"
	case codeBadAppID:
		return "invalid appid"
	case codeButtonCount:
		return "invalid button size"
	case codeButtonType:
		return "invalid button type"
	case codeButtonName:
		return "invalid button name size"
	case codeButtonKey:
		return "invalid button key size"
	case codeButtonURL:
		return "invalid button url size"
	case codeSubButtons:
		return "invalid sub button size"
	case codeEscapes:
		return "invalid charset. please check your request, if include \\uxxxx will create fail!"
	case codeTemplateID:
		return "invalid template_id"
	case codeBadQRArgument:
		return "invalid action info"
	case codeInvalidURL:
		return "invalid url"
	case codeBadSecret:
		return "invalid appsecret"
	case codeTokenMissing:
		return "access_token missing"
	case codeMediaMissing:
		return "media data missing"
	case codeTokenExpired:
		return "access_token expired"
	case codeNeedPost:
		return "require POST method"
	case codeNotFollowing:
		return "require subscribe"
	case codeEmptyMedia:
		return "empty media data"
	case codeEmptyBody:
		return "empty post data"
	case codeEmptyText:
		return "text message content is empty"
	case codeTooLong:
		return "content size out of limit"
	case codeDailyQuota:
		return "reach max api daily quota limit"
	case codeFrequency:
		return "api minute-quota reach limit, must slower, retry next minute"
	case codeWindowClosed:
		return "response out of time limit or subscription is canceled"
	case codeCountUsedUp:
		return "out of response count limit"
	case codeNoMenu:
		return "menu no exist"
	case codeListLength:
		return "invalid openid list size, at least two openid"
	case codeBadMsgID:
		return "invalid msg id"
	case codeRefused:
		return "user refuse to accept the msg"
	case codeRefExists:
		return "clientmsgid exist"
	case codeRefTooSoon:
		return "same clientmsgid retry too fast"
	case codeRefTooLong:
		return "clientmsgid size out of limit"
	case codeBadJSON:
		return "data format error"
	case codeBadArgument:
		return "argument invalid!"
	}
	return "error"
}

// apiFunc answers one call: a value to send as JSON, or an errcode. A nil value with code 0 is {"errcode":0,"errmsg":"ok"}.
type apiFunc func(r *http.Request, body []byte) (any, int)

// refusal is an answer with an errcode and more words than wording has.
type refusal struct {
	code   int
	detail string
}

type errAnswer struct {
	ErrCode int    `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
	MsgID   int64  `json:"msgid,omitempty"`
}

func (w *WeChat) routes() http.Handler {
	mux := http.NewServeMux()
	open := func(method, path string, f apiFunc) { mux.Handle(path, w.api(method, false, f)) }
	with := func(method, path string, f apiFunc) { mux.Handle(path, w.api(method, true, f)) }
	open(http.MethodGet, "/cgi-bin/token", w.getToken)
	open(http.MethodPost, "/cgi-bin/stable_token", w.getStableToken)
	with(http.MethodPost, "/cgi-bin/message/custom/send", w.sendService)
	with(http.MethodPost, "/cgi-bin/message/template/send", w.sendTemplate)
	with(http.MethodPost, "/cgi-bin/message/subscribe/bizsend", w.sendNotice)
	with(http.MethodPost, "/cgi-bin/message/mass/send", w.sendMass)
	with(http.MethodPost, "/cgi-bin/message/mass/get", w.getMass)
	with(http.MethodPost, "/cgi-bin/menu/create", w.createMenu)
	with(http.MethodGet, "/cgi-bin/menu/get", w.getMenu)
	with(http.MethodGet, "/cgi-bin/menu/delete", w.deleteMenu)
	with(http.MethodPost, "/cgi-bin/qrcode/create", w.createQR)
	with(http.MethodPost, "/cgi-bin/media/upload", w.uploadMedia)
	with(http.MethodGet, "/cgi-bin/user/info", w.userInfo)
	with("", "/cgi-bin/getcallbackip", func(*http.Request, []byte) (any, int) {
		return map[string]any{"ip_list": []string{"127.0.0.1"}}, 0
	})
	mux.Handle("/cgi-bin/media/get", http.HandlerFunc(w.getMedia))
	mux.HandleFunc(picPath+"{id}/0", func(rw http.ResponseWriter, r *http.Request) { w.serveMedia(rw, r.PathValue("id")) })
	mux.Handle("/", w.api("", false, func(*http.Request, []byte) (any, int) { return nil, codeInvalidURL }))
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.faults.serve(r.URL.Path, rw, r, mux, func(rw http.ResponseWriter, f Fault) {
			code, err := strconv.Atoi(f.Code)
			if err != nil {
				code = codeBusy
			}
			w.answer(rw, refusal{code, f.Message}, code)
		})
	})
}

// api wraps a call: the method, the token, the body and the form of the answer.
func (w *WeChat) api(method string, token bool, f apiFunc) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if method == http.MethodPost && r.Method != http.MethodPost {
			w.answer(rw, nil, codeNeedPost)
			return
		}
		if token {
			if code := w.checkToken(r); code != 0 {
				w.answer(rw, nil, code)
				return
			}
		}
		body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 12<<20))
		if err != nil {
			w.answer(rw, nil, codeTooLong)
			return
		}
		v, code := f(r, body)
		w.answer(rw, v, code)
	})
}

func (w *WeChat) checkToken(r *http.Request) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens.check(r.URL.Query().Get("access_token"), w.o.Now())
}

// answer writes what the platform writes: HTTP 200 whatever happened, the errcode in the body, a rid with every error.
func (w *WeChat) answer(rw http.ResponseWriter, v any, code int) {
	rw.Header().Set("Content-Type", "application/json; encoding=utf-8")
	if code != 0 {
		msg := wording(code)
		if r, ok := v.(refusal); ok && r.detail != "" {
			msg += " " + r.detail
		}
		v = errAnswer{ErrCode: code, ErrMsg: msg + " rid: " + rid()}
	} else if v == nil {
		v = errAnswer{ErrMsg: "ok"}
	}
	_ = json.NewEncoder(rw).Encode(v)
}

// rid is the id of a request, by which the platform finds it again.
func rid() string {
	return randomText(8, hexits) + "-" + randomText(8, hexits) + "-" + randomText(8, hexits)
}

func readJSON(body []byte, into any) int {
	if len(body) == 0 {
		return codeEmptyBody
	}
	if !utf8.Valid(body) || json.Unmarshal(body, into) != nil {
		return codeBadJSON
	}
	return 0
}

// reachable says whether the account may write to a person at all; mu is held.
func (w *WeChat) reachable(openid string) int {
	f := w.fans[openid]
	switch {
	case f == nil:
		return codeBadOpenID
	case !f.follows:
		return codeNotFollowing
	}
	return 0
}

// sendService is 客服消息: texts, pictures, voices and one article, within the windows that the fan opened.
func (w *WeChat) sendService(_ *http.Request, body []byte) (any, int) {
	var in struct {
		ToUser  string                   `json:"touser"`
		MsgType string                   `json:"msgtype"`
		Text    struct{ Content string } `json:"text"`
		Image   struct {
			MediaID string `json:"media_id"`
		} `json:"image"`
		Voice struct {
			MediaID string `json:"media_id"`
		} `json:"voice"`
		News struct {
			Articles []struct{ Title, Description, URL, PicURL string } `json:"articles"`
		} `json:"news"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	b := Bubble{Kind: in.MsgType, Text: in.Text.Content}
	w.mu.Lock()
	code := w.reachable(in.ToUser)
	switch {
	case code != 0:
	case in.MsgType == "text" && in.Text.Content == "":
		code = codeEmptyText
	case in.MsgType == "text" && len(in.Text.Content) > maxTextBytes:
		code = codeTooLong
	case in.MsgType == "text":
	case in.MsgType == "image" || in.MsgType == "voice":
		b.Media, b.Text = in.Image.MediaID+in.Voice.MediaID, map[string]string{"image": "[图片]", "voice": "[语音]"}[in.MsgType]
		if _, ok := w.media[b.Media]; !ok {
			code = codeBadMediaID
		}
	case in.MsgType == "news" && len(in.News.Articles) == 1:
		a := in.News.Articles[0]
		b.Title, b.Text, b.URL, b.Image = a.Title, a.Description, a.URL, a.PicURL
	case in.MsgType == "news":
		code = 45008 // article size out of limit: one article is allowed
	default:
		code = codeBadMsgType
	}
	if code == 0 {
		code = w.fans[in.ToUser].credits.spend(w.o.Now())
	}
	if code == 0 {
		w.fans[in.ToUser].counts.Service++
	}
	w.mu.Unlock()
	if code != 0 {
		return nil, code
	}
	w.show(in.ToUser, b)
	return nil, 0
}

func (w *WeChat) userInfo(r *http.Request, _ []byte) (any, int) {
	openid := r.URL.Query().Get("openid")
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.fans[openid]
	if f == nil {
		return nil, codeBadOpenID
	}
	subscribe := 0
	if f.follows {
		subscribe = 1
	}
	// Since 2021-12-27 nickname, headimgurl, sex and city are empty.
	return map[string]any{"subscribe": subscribe, "openid": openid, "nickname": "", "headimgurl": "", "language": "zh_CN"}, 0
}
