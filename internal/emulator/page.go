package emulator

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// PageOptions say what the page shows beside the phones.
type PageOptions struct {
	Account string // name of the service account, default 农讯服务
	Sender  string // number that text messages come from, default 1069000430
	// Bureau is asked for what the bureau sees, about once a second while a page is open; nil hides that part.
	Bureau func(context.Context) (BureauView, error)
	// Actions are the buttons above that view, such as 过一天.
	Actions []Action
	// Scenes are the QR codes that a phone can scan, Places those that it can send as its position.
	Scenes []Scene
	Places []Place
	// Refresh is how often Bureau is asked; default one second.
	Refresh time.Duration
}

// Action is a button of the page. An error is shown on the page, so its text must be for people.
type Action struct {
	Key, Label string
	Do         func(context.Context) error
}

// Scene is a QR code that hangs somewhere.
type Scene struct {
	Value string `json:"value"`
	Label string `json:"label"`
}

// Place is a position on the map, in degrees.
type Place struct {
	Label    string  `json:"label"`
	Lat, Lng float64 `json:"-"`
}

// BureauView is what the bureau sees; every text is as it is to be shown, newest first. Phone numbers are masked again by the page.
type BureauView struct {
	Listings   []BureauListing  `json:"listings"`
	SignUps    []BureauSignUp   `json:"signups"`
	Quotes     []BureauQuote    `json:"quotes"`
	Deliveries []BureauDelivery `json:"deliveries"`
}

// BureauListing is a row of 供求.
type BureauListing struct {
	Time     string `json:"time"`
	Kind     string `json:"kind"`   // 供应, 求购
	Status   string `json:"status"` // 在售, 已售 …
	Product  string `json:"product"`
	Quantity string `json:"quantity"`
	Price    string `json:"price"`
	Place    string `json:"place"`
	Contact  string `json:"contact"`
	Channel  string `json:"channel"` // 微信, 短信
}

// BureauSignUp is a row of 报名.
type BureauSignUp struct {
	Time     string `json:"time"`
	Fair     string `json:"fair"`
	Name     string `json:"name"`
	Type     string `json:"type"`
	Region   string `json:"region"`
	Products string `json:"products"`
	Channel  string `json:"channel"`
}

// BureauQuote is a row of 行情.
type BureauQuote struct {
	Day     string `json:"day"`
	Market  string `json:"market"`
	Product string `json:"product"`
	Price   string `json:"price"`
	Unit    string `json:"unit"`
}

// BureauDelivery is a row of 发送.
type BureauDelivery struct {
	Time    string `json:"time"`
	Channel string `json:"channel"`
	Contact string `json:"contact"`
	Kind    string `json:"kind"`  // 回复, 通知, 推送
	State   string `json:"state"` // 已送达, 失败 …
	Text    string `json:"text"`
}

func (o PageOptions) withDefaults() PageOptions {
	o.Account = orDefault(o.Account, "农讯服务")
	o.Sender = orDefault(o.Sender, destCode)
	o.Refresh = orDefault(o.Refresh, time.Second)
	if o.Scenes == nil {
		o.Scenes = []Scene{{"station-430225-01", "炎陵县中村乡 益农信息社"}, {"station-430224-01", "茶陵县枣市镇 益农信息社"}}
	}
	if o.Places == nil {
		o.Places = []Place{
			{"湖南省株洲市炎陵县中村瑶族乡", 26.272, 113.974},
			{"湖南省株洲市炎陵县霞阳镇", 26.489, 113.772},
			{"湖南省株洲市茶陵县枣市镇", 26.886, 113.453},
		}
	}
	return o
}

// place is where a label is; unknown ones are taken to be in 炎陵县.
func (o PageOptions) place(label string) (lat, lng float64) {
	for _, p := range o.Places {
		if p.Label == label {
			return p.Lat, p.Lng
		}
	}
	return 26.489, 113.772
}

func (o PageOptions) sceneLabel(value string) string {
	for _, s := range o.Scenes {
		if s.Value == value {
			return s.Label
		}
	}
	return value
}

//go:embed web
var web embed.FS

const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (e *Emulator) pageRoutes() http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // the folder is embedded
	}
	mux := http.NewServeMux()
	mux.Handle("GET /", http.FileServerFS(files))
	mux.HandleFunc("GET /api/state", e.serveState)
	mux.HandleFunc("GET /api/events", e.serveEvents)
	mux.HandleFunc("POST /api/people", e.servePeople)
	mux.HandleFunc("POST /api/people/{person}/{channel}/{kind}", e.serveDeed)
	mux.HandleFunc("POST /api/actions/{key}", e.serveAction)
	mux.HandleFunc("GET /media/{id}", func(w http.ResponseWriter, r *http.Request) {
		if e.WeChat == nil {
			http.NotFound(w, r)
			return
		}
		e.WeChat.serveMedia(w, r.PathValue("id"))
	})
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", pagePolicy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		guarded.ServeHTTP(w, r)
	})
}

func (e *Emulator) serveState(w http.ResponseWriter, r *http.Request) {
	people, feeds := e.phones.snapshot()
	follows := map[string]bool{}
	var menu []Button
	if e.WeChat != nil {
		menu = e.WeChat.Menu()
		for _, p := range people {
			follows[p.ID] = e.WeChat.Follows(p.OpenID)
		}
	}
	actions := []map[string]string{}
	for _, a := range e.o.Page.Actions {
		actions = append(actions, map[string]string{"key": a.Key, "label": a.Label})
	}
	writeJSON(w, map[string]any{
		"account": e.o.Page.Account, "sender": e.o.Page.Sender, "now": e.o.Now(), "people": people, "feeds": feeds, "follows": follows,
		"menu": menu, "scenes": e.o.Page.Scenes, "places": e.o.Page.Places, "actions": actions, "bureau": e.bureau(r.Context()),
		"wechat": e.WeChat != nil, "sms": e.Aliyun != nil || e.CMPP != nil,
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

var wholePhone = regexp.MustCompile(`\b(1[3-9][0-9])[0-9]{4}([0-9]{4})\b`)

// bureau is the view as JSON, with whole phone numbers masked; null when there is none.
func (e *Emulator) bureau(ctx context.Context) json.RawMessage {
	if e.o.Page.Bureau == nil {
		return json.RawMessage("null")
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	view, err := e.o.Page.Bureau(ctx)
	if err != nil {
		if ctx.Err() == nil {
			e.o.Log.Warn("the bureau's view cannot be read", "err", err)
		}
		return json.RawMessage("null")
	}
	data, err := json.Marshal(view)
	if err != nil {
		return json.RawMessage("null")
	}
	return wholePhone.ReplaceAll(data, []byte("$1****$2"))
}

// serveEvents is a stream of server-sent events: news of the hub, and the bureau's view and the clock when they changed.
func (e *Emulator) serveEvents(w http.ResponseWriter, r *http.Request) {
	news, leave := e.hub.join()
	defer leave()
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	send := func(data []byte) bool {
		if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil {
			return false
		}
		return out.Flush() == nil
	}
	tick := time.NewTicker(e.o.Page.Refresh)
	defer tick.Stop()
	var last []byte
	// A first line lets the page know that it misses nothing from here on.
	for ok := send([]byte(`{"kind":"hello"}`)); ok; {
		select {
		case <-r.Context().Done():
			return
		case data, open := <-news:
			ok = open && send(data)
		case <-tick.C:
			clock, _ := json.Marshal(map[string]any{"kind": "clock", "data": e.o.Now()})
			ok = send(clock)
			if view := e.bureau(r.Context()); ok && !bytes.Equal(view, last) && string(view) != "null" {
				last = view
				ok = send([]byte(`{"kind":"bureau","data":` + string(view) + `}`))
			}
		}
	}
}

// maxUpload is the largest picture.
const maxUpload = 10 << 20

type deedRequest struct {
	Arg string `json:"arg"`
}

// serveDeed starts a deed. The answer comes at once; what becomes of it is seen on the phone.
func (e *Emulator) serveDeed(w http.ResponseWriter, r *http.Request) {
	p, ok := e.phones.byID(r.PathValue("person"))
	if !ok {
		http.Error(w, "没有这个人", http.StatusNotFound)
		return
	}
	d := Deed{Channel: r.PathValue("channel"), Kind: r.PathValue("kind")}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUpload))
	if err != nil {
		http.Error(w, "太大了", http.StatusRequestEntityTooLarge)
		return
	}
	if ct := r.Header.Get("Content-Type"); strings.HasPrefix(ct, "image/") && d.Kind == "image" {
		d.Picture, d.ContentType = body, http.DetectContentType(body)
		if !strings.HasPrefix(d.ContentType, "image/") {
			http.Error(w, "这不是图片", http.StatusBadRequest)
			return
		}
	} else {
		var in deedRequest
		if err := json.Unmarshal(body, &in); err != nil {
			http.Error(w, "看不懂的请求", http.StatusBadRequest)
			return
		}
		d.Arg = strings.TrimSpace(in.Arg)
	}
	if d.Arg == "" && (d.Kind == "text" || d.Kind == "voice") {
		http.Error(w, "先写点什么", http.StatusBadRequest)
		return
	}
	e.crew.run(func(ctx context.Context) {
		if err := e.do(ctx, p, d); err != nil && ctx.Err() == nil {
			e.o.Log.Warn("deed failed", "person", p.ID, "kind", d.Kind, "err", err)
			if errors.Is(err, ErrNotFollowing) {
				e.hub.send("toast", err.Error())
			}
		}
	})
	w.WriteHeader(http.StatusAccepted)
}

func (e *Emulator) servePeople(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Name string `json:"name"`
		Role string `json:"role"`
	}
	err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&in)
	in.Name, in.Role = strings.TrimSpace(in.Name), strings.TrimSpace(in.Role)
	if err != nil || in.Name == "" || len([]rune(in.Name)) > 12 || len([]rune(in.Role)) > 8 {
		http.Error(w, "名字要有 1 到 12 个字", http.StatusBadRequest)
		return
	}
	writeJSON(w, e.phones.add(Person{Name: in.Name, Role: orDefault(in.Role, "农民")}, randomText(8, alphanum)))
}

// actionLimit is how long a button may work.
const actionLimit = time.Minute

func (e *Emulator) serveAction(w http.ResponseWriter, r *http.Request) {
	for _, a := range e.o.Page.Actions {
		if a.Key != r.PathValue("key") {
			continue
		}
		ctx, cancel := context.WithTimeout(r.Context(), actionLimit)
		defer cancel()
		if err := a.Do(ctx); err != nil {
			e.o.Log.Warn("action failed", "key", a.Key, "err", err)
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		e.hub.send("clock", e.o.Now())
		w.WriteHeader(http.StatusNoContent)
		return
	}
	http.Error(w, "没有这个按钮", http.StatusNotFound)
}
