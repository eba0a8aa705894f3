package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/silenceper/wechat/v2/util"
)

// The length of a mass send's list.
const (
	MinMass = 2
	MaxMass = 10_000
)

// maxClientMsgID is the length of a mass send's reference, in characters.
const maxClientMsgID = 64

// Mass is a mass send (群发) to a list of followers. Each person gets at most four a calendar month, whoever sent them; the
// platform leaves out those who had theirs and counts them (Job.Filtered).
type Mass struct {
	To          []string // MinMass to MaxMass openids, each once
	Text        string   // of at most 2,048 bytes; or
	MediaID     MediaID  // the media_id of a draft of articles (mpnews)
	Reprint     bool     // articles that are found to be reprints go out all the same, where their source allows it
	ClientMsgID string   // of at most 64 characters: a repeat within 24 hours sends nothing and returns the first one's id
}

// SendMass gives the platform a mass send and returns its id, which MASSSENDJOBFINISH names as Job.ID. No error means accepted: what
// reached whom comes with the event, in counts, not by person. A ClientMsgID that the platform has seen before returns the id
// of the first time, so that an Unknown outcome is settled by asking again with the same list and reference, after a minute.
// SplitList: one of the openids is not (any more) ours and nobody was sent to; of a list of two use another channel for both.
// Source: the page massSend (cgi-bin/message/mass/send).
func (c *Client) SendMass(ctx context.Context, m Mass) (msgID int64, err error) {
	in, err := m.request()
	if err != nil {
		return 0, err
	}
	var out struct {
		util.CommonError
		MsgID int64 `json:"msg_id"`
	}
	err = c.call(ctx, opMass, in, &out)
	var e *Error
	if errors.As(err, &e) {
		switch {
		case e.Code == codeRepeated && out.MsgID != 0:
			return out.MsgID, nil
		case e.Code == codeRepeated: // taken before, under an id that we were not told
			e.Kind = Unknown
		case e.Kind == PersonGone:
			e.Kind = SplitList
		}
	}
	switch {
	case err != nil:
		return 0, err
	case out.MsgID == 0:
		return 0, &Error{Kind: Unknown, Op: opMass.path, Message: "the answer holds no msg_id"}
	}
	return out.MsgID, nil
}

type massRequest struct {
	ToUser        []string  `json:"touser"`
	MsgType       string    `json:"msgtype"`
	Text          *massText `json:"text,omitempty"`
	News          *massNews `json:"mpnews,omitempty"`
	IgnoreReprint int       `json:"send_ignore_reprint,omitempty"`
	ClientMsgID   string    `json:"clientmsgid,omitempty"`
}

type massText struct {
	Content string `json:"content"`
}

type massNews struct {
	MediaID MediaID `json:"media_id"`
}

// request checks what the platform would refuse or, worse, do half of.
func (m Mass) request() (massRequest, error) {
	refuse := func(format string, args ...any) (massRequest, error) {
		return massRequest{}, &Error{Kind: Refused, Op: opMass.path, Message: fmt.Sprintf(format, args...)}
	}
	in := massRequest{ToUser: m.To, ClientMsgID: m.ClientMsgID}
	text := clean(m.Text)
	switch {
	case len(m.To) < MinMass || len(m.To) > MaxMass:
		return refuse("the list has %d openids, a mass send goes to %d to %d: split it", len(m.To), MinMass, MaxMass)
	case len(m.ClientMsgID) > maxClientMsgID:
		return refuse("the reference has %d bytes, at most %d are allowed", len(m.ClientMsgID), maxClientMsgID)
	case text != "" && m.MediaID != "":
		return refuse("it is a text or articles, not both")
	case m.MediaID != "":
		in.MsgType, in.News = "mpnews", &massNews{m.MediaID}
	case strings.TrimSpace(text) == "":
		return refuse("the text is empty")
	case len(text) > maxText: // never cut what goes to ten thousand people
		return refuse("the text has %d bytes, at most %d are allowed: shorten it", len(text), maxText)
	default:
		in.MsgType, in.Text = "text", &massText{text}
	}
	if m.Reprint {
		in.IgnoreReprint = 1
	}
	return in, nil
}

// MassState is how far a mass send has got, in the platform's words.
type MassState string

// The states.
const (
	MassSending MassState = "SENDING"
	MassSent    MassState = "SEND_SUCCESS"
	MassFailed  MassState = "SEND_FAIL"
	MassDeleted MassState = "DELETE"
)

// MassStatus asks how far a mass send has got, for when its MASSSENDJOBFINISH does not come. Source: the page massMsgGet
// (cgi-bin/message/mass/get).
func (c *Client) MassStatus(ctx context.Context, msgID int64) (MassState, error) {
	var out struct {
		util.CommonError
		Status MassState `json:"msg_status"`
	}
	in := map[string]string{"msg_id": strconv.FormatInt(msgID, 10)}
	if err := c.call(ctx, opMassStatus, in, &out); err != nil {
		return "", err
	}
	return out.Status, nil
}
