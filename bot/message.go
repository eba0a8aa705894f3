package bot

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
	"time"
)

// MsgType is the kind of a message, as the platform writes it. A kind that is not listed here is delivered all the same.
type MsgType string

// The kinds of message.
const (
	TypeText       MsgType = "text"
	TypeImage      MsgType = "image"
	TypeVoice      MsgType = "voice"
	TypeVideo      MsgType = "video"
	TypeShortVideo MsgType = "shortvideo"
	TypeLocation   MsgType = "location"
	TypeLink       MsgType = "link"
	TypeEvent      MsgType = "event"
)

// EventType is the kind of an event, as the platform writes it (case matters). One that is not listed here is delivered too.
type EventType string

// The kinds of event.
const (
	EventSubscribe          EventType = "subscribe"   // 关注; Scene is set when it came through a QR code of ours
	EventUnsubscribe        EventType = "unsubscribe" // 取消关注; no reply reaches the person any more
	EventScan               EventType = "SCAN"        // a follower scanned a QR code of ours: Scene
	EventLocation           EventType = "LOCATION"    // Location, by consent, on entering the chat
	EventClick              EventType = "CLICK"       // menu button: EventKey is its key
	EventView               EventType = "VIEW"        // menu link: EventKey is its URL
	EventViewMiniProgram    EventType = "view_miniprogram"
	EventScanCodePush       EventType = "scancode_push"
	EventScanCodeWait       EventType = "scancode_waitmsg"
	EventPicSysPhoto        EventType = "pic_sysphoto" // Pictures; the pictures themselves arrive as messages
	EventPicPhotoOrAlbum    EventType = "pic_photo_or_album"
	EventPicWeixin          EventType = "pic_weixin"
	EventLocationSelect     EventType = "location_select"       // Location; a location message follows
	EventTemplateFinished   EventType = "TEMPLATESENDJOBFINISH" // Job
	EventMassFinished       EventType = "MASSSENDJOBFINISH"     // Job
	EventPublishFinished    EventType = "PUBLISHJOBFINISH"      // Job
	EventSubscriptionPopup  EventType = "subscribe_msg_popup_event"
	EventSubscriptionChange EventType = "subscribe_msg_change_event"
	EventSubscriptionSent   EventType = "subscribe_msg_sent_event"
	EventServiceOpened      EventType = "kf_create_session" // Service
	EventServiceClosed      EventType = "kf_close_session"
	EventServiceSwitched    EventType = "kf_switch_session"
)

// MediaID names a file on the platform. Those of incoming messages live three days.
type MediaID string

// Message is one callback. Fields that its kind does not have are zero. Text is valid UTF-8 without control characters (but
// newline, return and tab); Fields holds every element of the body under its path ("ScanCodeInfo/ScanResult"), repeats in order; Raw is
// the body as it came, decrypted.
type Message struct {
	ToUser     string    // our account, gh_…
	FromUser   string    // the person's openid
	CreateTime time.Time // UTC, whole seconds; zero when missing or absurd
	Type       MsgType
	Event      EventType // only for TypeEvent
	MsgID      int64     // 0 for events, and where it is no number: see Fields["MsgId"]

	Text       string // text: what was written
	MenuItemID string // text: the id of the tapped item of a menu message (bizmsgmenuid), any string

	MediaID      MediaID // image, voice, video, shortvideo
	MediaID16K   MediaID // voice: the same in 16 kHz, better to recognise
	ThumbMediaID MediaID // video, shortvideo
	PicURL       string  // image
	Format       string  // voice: amr, speex
	Recognition  string  // voice: what the platform understood; empty more often than not

	Title, Description, URL string // link

	Location *Location // location, LOCATION, location_select

	EventKey string // as it came
	Scene    string // subscribe, SCAN: the scene of the QR code, without "qrscene_"
	Ticket   string // subscribe, SCAN
	MenuID   string // VIEW, view_miniprogram

	ScanCode      *ScanCode      // scancode_push, scancode_waitmsg
	Pictures      []string       // pic_*: MD5 of each picture that follows
	Job           *Job           // …JOBFINISH
	Subscriptions []Subscription // subscribe_msg_*
	Service       *Service       // kf_*

	Fields map[string][]string
	Raw    []byte
}

// Location is a place. Degrees are in millionths (WGS-84 or GCJ-02, as the person's phone had it).
type Location struct {
	LatitudeE6, LongitudeE6 int64
	PrecisionMetres         int64  // LOCATION only
	Scale                   int64  // zoom of the map
	Label, Poi              string // address and name of the spot as WeChat writes them
}

// ScanCode is what a person's camera read.
type ScanCode struct{ Kind, Result string }

// Service is the human customer-service account that a chat was opened with, closed by, or handed From one To another.
type Service struct{ Account, From, To string }

// Key is the message's idempotency key: the same for every repeat of one message, different for any two messages and any two
// people. Messages: sender and MsgId. Events: sender, time, event, key and job ids, because the platform gives no id. It has 27 characters
// and tells nothing of the sender, so it may be logged.
func (m *Message) Key() string {
	h := sha256.New()
	part := func(s string) {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(s))) // #nosec G115 -- bodies are at most 1 MiB
		h.Write(n[:])
		h.Write([]byte(s))
	}
	created := strconv.FormatInt(m.CreateTime.Unix(), 10)
	id := m.first("MsgId")
	if m.MsgID != 0 {
		id = strconv.FormatInt(m.MsgID, 10)
	}
	part(m.FromUser)
	switch {
	case m.Type == TypeEvent:
		part("event")
		part(created)
		part(string(m.Event))
		part(m.EventKey)
		if m.Job != nil {
			part(strconv.FormatInt(m.Job.ID, 10))
		}
		for _, s := range m.Subscriptions {
			part(s.TemplateID)
			part(strconv.FormatInt(s.MsgID, 10))
		}
	case id != "":
		part("message")
		part(id)
	default: // an unknown kind without an id: a repeat has the same body
		part("body")
		part(created)
		part(string(m.Type))
		part(string(m.Raw))
	}
	var sum [sha256.Size]byte
	return "wx:" + base64.RawURLEncoding.EncodeToString(h.Sum(sum[:0])[:18])
}

// first is the first value of a raw field, "" where there is none.
func (m *Message) first(path string) string {
	if v := m.Fields[path]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// fill sets the typed fields from the leaves of a body.
func (m *Message) fill(leaves []leaf) {
	for i := range leaves {
		m.set(leaves[i].path, leaves[i].value)
	}
	if m.Type != TypeEvent {
		m.MsgID = number(m.first("MsgId"))
		return
	}
	switch m.Event {
	case EventSubscribe:
		m.Scene, _ = strings.CutPrefix(m.EventKey, "qrscene_")
		if m.Scene == m.EventKey {
			m.Scene = ""
		}
	case EventScan:
		m.Scene = m.EventKey
	case EventTemplateFinished, EventMassFinished, EventPublishFinished:
		m.Job = m.job(leaves)
	case EventSubscriptionPopup, EventSubscriptionChange, EventSubscriptionSent:
		m.Subscriptions = subscriptions(m.Event, leaves)
	case EventServiceOpened, EventServiceClosed, EventServiceSwitched:
		m.Service = &Service{Account: m.first("KfAccount"), From: m.first("FromKfAccount"), To: m.first("ToKfAccount")}
	}
}

// set keeps one leaf in its typed field; of repeats the first counts.
func (m *Message) set(path, v string) {
	switch path {
	case "ToUserName":
		once(&m.ToUser, v)
	case "FromUserName":
		once(&m.FromUser, v)
	case "CreateTime":
		if m.CreateTime.IsZero() {
			m.CreateTime = unixTime(v)
		}
	case "MsgType":
		once((*string)(&m.Type), v)
	case "Event":
		once((*string)(&m.Event), v)
	case "EventKey":
		once(&m.EventKey, v)
	case "Content":
		once(&m.Text, v)
	case "bizmsgmenuid":
		once(&m.MenuItemID, v)
	case "MediaId":
		once((*string)(&m.MediaID), v)
	case "MediaId16K":
		once((*string)(&m.MediaID16K), v)
	case "ThumbMediaId":
		once((*string)(&m.ThumbMediaID), v)
	case "PicUrl":
		once(&m.PicURL, v)
	case "Format":
		once(&m.Format, v)
	case "Recognition":
		once(&m.Recognition, v)
	case "Title":
		once(&m.Title, v)
	case "Description":
		once(&m.Description, v)
	case "Url":
		once(&m.URL, v)
	case "Ticket":
		once(&m.Ticket, v)
	case "MenuId", "MenuID":
		once(&m.MenuID, v)
	case "ScanCodeInfo/ScanType":
		m.scanCode().Kind = v
	case "ScanCodeInfo/ScanResult":
		m.scanCode().Result = v
	case "SendPicsInfo/PicList/item/PicMd5Sum":
		m.Pictures = append(m.Pictures, v)
	default:
		m.setLocation(strings.TrimPrefix(path, "SendLocationInfo/"), v)
	}
}

func (m *Message) setLocation(name, v string) {
	switch name {
	case "Location_X", "Latitude":
		m.location().LatitudeE6 = millionths(v)
	case "Location_Y", "Longitude":
		m.location().LongitudeE6 = millionths(v)
	case "Precision":
		m.location().PrecisionMetres = millionths(v) / 1e6
	case "Scale":
		m.location().Scale = number(v)
	case "Label":
		m.location().Label = v
	case "Poiname":
		m.location().Poi = v
	}
}

func (m *Message) location() *Location {
	if m.Location == nil {
		m.Location = &Location{}
	}
	return m.Location
}

func (m *Message) scanCode() *ScanCode {
	if m.ScanCode == nil {
		m.ScanCode = &ScanCode{}
	}
	return m.ScanCode
}

func once(dst *string, v string) {
	if *dst == "" {
		*dst = v
	}
}

// number reads a whole number; 0 when it is none or does not fit.
func number(s string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// lastSecond is the end of the year 9999; later times are nobody's.
const lastSecond = 253402300799

func unixTime(s string) time.Time {
	n := number(s)
	if n <= 0 || n > lastSecond {
		return time.Time{}
	}
	return time.Unix(n, 0).UTC()
}

// millionths reads a decimal number as millionths, cutting further digits; 0 when it is none.
func millionths(s string) int64 {
	s = strings.TrimSpace(s)
	digits, negative := strings.CutPrefix(s, "-")
	whole, part, _ := strings.Cut(digits, ".")
	part = (part + "000000")[:6]
	n, err := strconv.ParseUint(whole+part, 10, 62)
	if err != nil {
		return 0
	}
	if negative {
		return -int64(n) // #nosec G115 -- at most 62 bits
	}
	return int64(n) // #nosec G115 -- at most 62 bits
}
