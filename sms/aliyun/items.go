package aliyun

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
)

// beijing is the zone of all of Aliyun's times; China has had no other and no summer time since 1991.
var beijing = time.FixedZone("CST", 8*60*60)

// item is one element of a push, nil where it is no object. Versions of the interface differ in which fields are numbers,
// strings or missing, so each is taken out as text.
type item map[string]json.RawMessage

// parseItems takes a JSON array, or a single object, apart. whole is false where the JSON breaks off or is none; the items before
// the break are returned.
func parseItems(body []byte) (items []item, whole bool) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if !json.Valid(body) { // a control character that was not escaped in a text is the likeliest damage, and can be healed
		body = bytes.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, body)
	}
	if len(body) == 0 {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if body[0] == '[' {
		_, _ = d.Token()
	}
	for d.More() {
		var raw json.RawMessage
		if d.Decode(&raw) != nil {
			return items, false
		}
		var it item
		_ = json.Unmarshal(raw, &it) // not an object: nil
		items = append(items, it)
	}
	if body[0] == '[' {
		_, err := d.Token()
		return items, err == nil
	}
	return items, true
}

// text is a field that should be a string, as text; numbers and booleans as they are written, anything else "".
func (it item) text(name string) string {
	raw := it[name]
	if len(raw) == 0 {
		return ""
	}
	switch raw[0] {
	case '"':
		var s string
		_ = json.Unmarshal(raw, &s)
		return s
	case '{', '[', 'n':
		return ""
	}
	return string(raw)
}

// has tells whether one of the fields is there.
func (it item) has(names ...string) bool {
	for _, name := range names {
		if _, ok := it[name]; ok {
			return true
		}
	}
	return false
}

// phone is the field phone_number as 11 digits where it is a mobile number, as given where it is some other number (it can be
// masked, or short), and "" where it is none.
func (it item) phone() string {
	s := strings.TrimSpace(it.text("phone_number"))
	if p, ok := sms.NormalPhone(s); ok {
		return p
	}
	if s == "" || len(s) > 32 || strings.Trim(s, "0123456789*+- ") != "" {
		return ""
	}
	return s
}

// incoming makes texts of the items of a SmsUp push; read is how many items made sense, repeats included.
func incoming(items []item, now time.Time) (in []sms.Incoming, read int) {
	seen := make(map[string]bool, len(items))
	for _, it := range items {
		phone := it.phone()
		if phone == "" || !it.has("content") { // a receipt that came to the wrong address must not become a text
			continue
		}
		read++
		m := sms.Incoming{
			Provider: Name, Phone: phone,
			Text: storable(it.text("content")), DestCode: storable(it.text("dest_code")),
			SentAt: it.time("send_time", now),
		}
		m.Key = upKey(it, m)
		if !seen[m.Key] {
			seen[m.Key] = true
			in = append(in, m)
		}
	}
	return in, read
}

// upKey is the idempotency key of a text: by Aliyun's sequence id where there is one.
func upKey(it item, m sms.Incoming) string {
	if id := whole(it.text("sequence_id")); id != "" && strings.Trim(id, "0") != "" {
		return Name + ":" + id
	}
	h := sha256.Sum256([]byte(strings.Join([]string{m.Phone, m.Text, m.DestCode, it.text("send_time")}, "\x00")))
	return Name + ":h:" + hex.EncodeToString(h[:16])
}

// whole writes a sequence id that came as a floating-point number ("1.23456E5", "123456.0") as the whole number that it is.
func whole(id string) string {
	id = storable(strings.TrimSpace(id))
	if len(id) > 64 { // no id of Aliyun's; cutting it could make two texts one
		return ""
	}
	if !strings.ContainsAny(id, ".eE") {
		return id
	}
	if f, _, err := big.ParseFloat(id, 10, 200, big.ToNearestEven); err == nil && f.IsInt() && f.MantExp(nil) < 128 {
		return f.Text('f', 0)
	}
	return id
}

// storable is s without what PostgreSQL cannot hold in a text.
func storable(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
}

// receipts makes receipts of the items of a SmsReport push. Of several about one message in one push the latest stays.
func receipts(items []item, now time.Time) (out []sms.Receipt, read int) {
	type message struct{ id, ref, phone string }
	at := make(map[message]int, len(items))
	for _, it := range items {
		phone := it.phone()
		if phone == "" || !it.has("biz_id", "out_id") {
			continue
		}
		read++
		r := sms.Receipt{
			Provider: Name, Phone: phone,
			ProviderID: storable(it.text("biz_id")), Ref: storable(it.text("out_id")),
			Code: storable(it.text("err_code")), Message: storable(it.text("err_msg")),
			At: it.time("report_time", now),
		}
		r.OK = it.success(r.Code)
		r.Parts, _ = strconv.Atoi(strings.TrimSpace(it.text("sms_size")))
		r.Parts = min(max(r.Parts, 0), 100)
		key := message{r.ProviderID, r.Ref, phone}
		if i, repeated := at[key]; !repeated {
			at[key] = len(out)
			out = append(out, r)
		} else if !r.At.Before(out[i].At) {
			out[i] = r
		}
	}
	return out, read
}

func (it item) success(code string) bool {
	switch strings.ToLower(strings.TrimSpace(it.text("success"))) {
	case "true", "1":
		return true
	case "":
		return code == "DELIVERED"
	}
	return false
}

// time reads a time field; now where it is missing, unreadable or in the future.
func (it item) time(name string, now time.Time) time.Time {
	t, ok := parseTime(it.text(name))
	if !ok || t.After(now.Add(10*time.Minute)) {
		return now.UTC()
	}
	return t
}

// parseTime reads the times of Aliyun's interfaces, in Beijing time where they name no zone, as UTC.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{time.DateTime, "20060102150405", "2006-01-02T15:04:05", time.RFC3339, time.RFC1123Z, "2006/01/02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, beijing); err == nil {
			return t.UTC(), t.Year() >= 2000 && t.Year() < 2200
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && (len(s) == 10 || len(s) == 13) {
		if len(s) == 10 {
			n *= 1000
		}
		return time.UnixMilli(n).UTC(), true
	}
	return time.Time{}, false
}
