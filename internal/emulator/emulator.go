package emulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"
)

// Options are what an Emulator is made of. WeChat, Aliyun and CMPP are started when they are not nil; their Now, Log, Deliver and
// MenuChanged are filled in.
type Options struct {
	Now    func() time.Time // the clock of everything; default time.Now
	Log    *slog.Logger
	WeChat *WeChatOptions
	Aliyun *AliyunOptions
	CMPP   *CMPPOptions
	// People are those whose phones the page offers; default a farmer, two neighbours and two brokers.
	People []Person
	Page   PageOptions
	// AnswerLimit is how long a transcript waits for an answer (default 10 s of real time), Quiet how long nothing more may come
	// before what came is the answer (default 150 ms), PushLimit how long it waits for pushes after the clock moved (default 1 s).
	AnswerLimit, Quiet, PushLimit time.Duration
}

// Emulator is a platform, a provider and a page with the phones of some people.
type Emulator struct {
	WeChat *WeChat // nil when it was not asked for
	Aliyun *Aliyun // nil when it was not asked for
	CMPP   *CMPP   // nil when it was not asked for; it is to be given a listener
	o      Options
	phones *phones
	hub    *hub
	crew   *crew
	page   http.Handler
}

// New starts an emulator. Close it.
func New(o Options) (*Emulator, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.AnswerLimit = orDefault(o.AnswerLimit, 10*time.Second)
	o.Quiet = orDefault(o.Quiet, 150*time.Millisecond)
	o.PushLimit = orDefault(o.PushLimit, time.Second)
	if o.People == nil {
		o.People = []Person{
			{Name: "罗大姐", Role: "炎陵桃农"},
			{Name: "老周", Role: "茶陵菜农"},
			{Name: "谭合作社", Role: "合作社"},
			{Name: "刘经理", Role: "经纪人"},
			{Name: "陈老板", Role: "采购商"},
		}
		if o.CMPP != nil {
			o.People = append(o.People, Person{Name: "老曾", Role: "经纪人·专线", Phone: "18600001234", Line: LineCMPP, Writes: o.CMPP.Number})
		}
	}
	o.Page = o.Page.withDefaults()
	e := &Emulator{o: o, hub: newHub(), crew: newCrew()}
	e.phones = newPhones(o.Now, e.hub.send)
	if err := e.startSides(); err != nil {
		e.Close()
		return nil, err
	}
	for _, p := range o.People {
		e.phones.add(p, "demo")
	}
	e.page = e.pageRoutes()
	return e, nil
}

func (e *Emulator) startSides() (err error) {
	if e.o.WeChat != nil {
		w := *e.o.WeChat
		w.Now, w.Log = e.o.Now, e.o.Log
		w.Deliver = func(openid string, b Bubble) {
			if p, ok := e.phones.byOpenID(openid); ok {
				e.phones.show(p.ID, b)
			}
		}
		w.MenuChanged = func(menu []Button) { e.hub.send("menu", menu) }
		if e.WeChat, err = NewWeChat(w); err != nil {
			return err
		}
	}
	if e.o.Aliyun != nil {
		a := *e.o.Aliyun
		a.Now, a.Log = e.o.Now, e.o.Log
		a.Deliver = e.showText
		if e.Aliyun, err = NewAliyun(a); err != nil {
			return err
		}
	}
	if e.o.CMPP != nil {
		c := *e.o.CMPP
		c.Now, c.Log, c.Deliver = e.o.Now, e.o.Log, e.showText
		if e.CMPP, err = NewCMPP(c); err != nil {
			return err
		}
	}
	return nil
}

// showText shows a text on the phone that it reached.
func (e *Emulator) showText(phone, text string) {
	if p, ok := e.phones.byPhone(phone); ok {
		e.phones.show(p.ID, Bubble{Channel: ChannelSMS, From: FromService, Kind: "text", Text: text})
	}
}

// Close stops what runs and waits for it.
func (e *Emulator) Close() {
	e.hub.close()
	e.crew.close()
	if e.WeChat != nil {
		e.WeChat.Close()
	}
	if e.Aliyun != nil {
		e.Aliyun.Close()
	}
	if e.CMPP != nil {
		e.CMPP.Close()
	}
}

// PlatformHandler serves the WeChat platform's API.
func (e *Emulator) PlatformHandler() http.Handler {
	if e.WeChat == nil {
		return http.NotFoundHandler()
	}
	return e.WeChat.Handler()
}

// ProviderHandler serves the SMS provider's API.
func (e *Emulator) ProviderHandler() http.Handler {
	if e.Aliyun == nil {
		return http.NotFoundHandler()
	}
	return e.Aliyun.Handler()
}

// PageHandler serves the page with the phones.
func (e *Emulator) PageHandler() http.Handler { return e.page }

// StartWeChat verifies the callback address and sends callbacks to it from now on.
func (e *Emulator) StartWeChat(ctx context.Context, callbackURL string) error {
	if e.WeChat == nil {
		return errors.New("emulator: there is no WeChat platform")
	}
	return e.WeChat.Connect(ctx, callbackURL)
}

// StartSMS probes the callback addresses and sends pushes to them from now on.
func (e *Emulator) StartSMS(ctx context.Context, upURL, reportURL string) error {
	if e.Aliyun == nil {
		return errors.New("emulator: there is no SMS provider")
	}
	return e.Aliyun.Connect(ctx, upURL, reportURL)
}

// Deed is what a person does with a phone.
type Deed struct {
	Channel string // ChannelWeChat or ChannelSMS
	Kind    string // text, voice, image, location, follow, unfollow, scan, click; by SMS only text
	Arg     string // text; what was said; scene; key or name of a menu button; address
	// Picture is the picture of an image, ContentType its type; without one a grey pixel is sent.
	Picture     []byte
	ContentType string
}

// do carries out a deed and waits until the service has taken it: the person's phone shows it first.
func (e *Emulator) do(ctx context.Context, p Person, d Deed) error {
	switch {
	case d.Channel == ChannelSMS && e.texting(p) == nil, d.Channel == ChannelWeChat && e.WeChat == nil:
		return errors.New("这个渠道没有开")
	case d.Channel == ChannelSMS && d.Kind == "text":
		id := e.phones.show(p.ID, Bubble{Channel: ChannelSMS, From: FromMe, Kind: "text", Text: d.Arg})
		return e.noteFailure(p, id, e.texting(p)(ctx, p.Phone, d.Arg))
	case d.Channel != ChannelWeChat:
		return fmt.Errorf("不能用 %s 做 %s", d.Channel, d.Kind)
	}
	if d.Kind == "image" && len(d.Picture) == 0 {
		d.Picture, d.ContentType = greyPixel(), "image/gif"
	}
	b := Bubble{Channel: ChannelWeChat, From: FromMe, Kind: d.Kind, Text: d.Arg}
	var act func() error
	switch d.Kind {
	case "text":
		act = func() error { return e.WeChat.Text(ctx, p.OpenID, d.Arg) }
	case "voice":
		act = func() error { return e.WeChat.Voice(ctx, p.OpenID, d.Arg) }
	case "location":
		lat, lng := e.o.Page.place(d.Arg)
		act = func() error { return e.WeChat.Location(ctx, p.OpenID, d.Arg, lat, lng) }
	case "image":
		b.Media = e.WeChat.keep("image", d.ContentType, d.Picture)
		act = func() error { return e.WeChat.picture(ctx, p.OpenID, b.Media) }
	default:
		return e.event(ctx, p, d)
	}
	if !e.WeChat.Follows(p.OpenID) {
		return ErrNotFollowing
	}
	id := e.phones.show(p.ID, b)
	return e.noteFailure(p, id, act())
}

// texting is what carries the texts of a person: their line, or Aliyun; nil where it is off.
func (e *Emulator) texting(p Person) func(ctx context.Context, phone, text string) error {
	switch {
	case p.Line == LineCMPP && e.CMPP != nil:
		return e.CMPP.Text
	case p.Line == "" && e.Aliyun != nil:
		return e.Aliyun.Reply
	}
	return nil
}

func (e *Emulator) noteFailure(p Person, bubble int64, err error) error {
	if err != nil {
		e.phones.fail(p.ID, bubble)
	}
	return err
}

// event is a deed that shows no bubble of its own, only a grey line.
func (e *Emulator) event(ctx context.Context, p Person, d Deed) error {
	line := func(text string) {
		e.phones.show(p.ID, Bubble{Channel: ChannelWeChat, From: FromMe, Kind: "note", Text: text})
	}
	defer e.tellFollows(p)
	switch d.Kind {
	case "follow":
		line("你关注了公众号")
		e.tellFollows(p)
		return e.WeChat.Subscribe(ctx, p.OpenID, d.Arg)
	case "unfollow":
		line("你取消了关注")
		return e.WeChat.Unsubscribe(ctx, p.OpenID)
	case "scan":
		line("你扫了二维码 " + e.o.Page.sceneLabel(d.Arg))
		return e.WeChat.Scan(ctx, p.OpenID, d.Arg)
	case "click":
		return e.WeChat.Click(ctx, p.OpenID, d.Arg)
	}
	return fmt.Errorf("没有 %q 这个动作", d.Kind)
}

func (e *Emulator) tellFollows(p Person) {
	e.hub.send("follows", map[string]any{"person": p.ID, "follows": e.WeChat.Follows(p.OpenID)})
}

// greyPixel is the smallest picture.
func greyPixel() []byte {
	return []byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x99\x99\x99\x00\x00\x00!\xf9\x04\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
}
