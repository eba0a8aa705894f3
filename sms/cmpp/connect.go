package cmpp

import (
	"crypto/md5" //nolint:gosec // the protocol's
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"time"
)

// beijing is the zone of every time in the protocol; China has had no summer time since 1991.
var beijing = time.FixedZone("CST", 8*3600)

// Timestamp is MMDDHHMMSS in Beijing as a number, as CONNECT carries it.
func Timestamp(t time.Time) uint32 {
	t = t.In(beijing)
	n := ((((int(t.Month())*100+t.Day())*100+t.Hour())*100+t.Minute())*100 + t.Second())
	return uint32(n) //nolint:gosec // at most 1231235959
}

// Authenticator is AuthenticatorSource: MD5(Source_Addr + 9 bytes of 0 + secret + MMDDHHMMSS) (7.4.1.1).
func Authenticator(spID, secret string, timestamp uint32) [16]byte {
	b := append([]byte(spID), zeros[:9]...)
	b = append(b, secret...)
	return md5.Sum(fmt.Appendf(b, "%010d", timestamp)) //nolint:gosec // the protocol's
}

// Connect is CONNECT.
type Connect struct {
	SPID          string // 6 bytes
	Authenticator [16]byte
	Version       Version
	Timestamp     uint32
}

// Append writes the frame.
func (c *Connect) Append(dst []byte, sequence uint32) []byte {
	start := len(dst)
	dst = begin(dst, CmdConnect, sequence)
	dst = appendFixed(dst, c.SPID, 6)
	dst = append(dst, c.Authenticator[:]...)
	dst = append(dst, byte(c.Version))
	return end(binary.BigEndian.AppendUint32(dst, c.Timestamp), start)
}

// Parse reads the body.
func (c *Connect) Parse(body []byte) error {
	f := fields{b: body}
	c.SPID = f.text(6)
	copy(c.Authenticator[:], f.bytes(16))
	c.Version = Version(f.byte())
	c.Timestamp = f.uint32()
	return f.done("CONNECT")
}

// ConnectResp is the answer to CONNECT. Its form goes by its own length: a gateway may answer in another version than it was asked in.
type ConnectResp struct {
	Status        uint32
	Authenticator [16]byte
	Version       Version
}

// Append writes the frame.
func (c *ConnectResp) Append(dst []byte, v Version, sequence uint32) []byte {
	start := len(dst)
	dst = begin(dst, CmdConnect.Answer(), sequence)
	dst = appendStatus(dst, v, c.Status)
	dst = append(dst, c.Authenticator[:]...)
	return end(append(dst, byte(c.Version)), start)
}

// Parse reads the body: 18 bytes in 2.x, 21 in 3.0.
func (c *ConnectResp) Parse(body []byte) error {
	f := fields{b: body}
	v := V20
	if len(body) >= 21 {
		v = V30
	}
	c.Status = f.status(v)
	copy(c.Authenticator[:], f.bytes(16))
	c.Version = Version(f.byte())
	return f.done("CONNECT_RESP")
}

// Genuine says whether the gateway knows the secret: MD5(Status + AuthenticatorSource + secret), Status with one byte in 2.x and four in
// 3.0 (7.4.1.2). Many gateways fill it wrong.
func (c *ConnectResp) Genuine(v Version, source [16]byte, secret string) bool {
	b := appendStatus(nil, v, c.Status)
	b = append(append(b, source[:]...), secret...)
	want := md5.Sum(b) //nolint:gosec // the protocol's
	return subtle.ConstantTimeCompare(want[:], c.Authenticator[:]) == 1
}
