package bot

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1" // #nosec G505 -- the platform signs with SHA-1
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
)

// Why a request is refused. None of them tells the caller anything: the answer is 403 with an empty body.
var (
	errSignature = errors.New("bad signature")
	errStale     = errors.New("timestamp too far from now")
	errMode      = errors.New("plain body where encryption is configured, or the other way round")
	errCipher    = errors.New("body does not decrypt with the configured keys")
	errAppID     = errors.New("body is encrypted for another account")
)

// blockSize is what the platform pads to, unlike AES's own 16.
const blockSize = 32

// headSize is 16 random bytes and the length of the message.
const headSize = 20

// aesKey is a decoded EncodingAESKey.
type aesKey struct {
	bytes [32]byte
	block cipher.Block
}

// parseAESKey reads the 43 characters of the console. The last one carries two bits too many, which real keys set: they are
// ignored, as the platform does.
func parseAESKey(s string) (aesKey, error) {
	var k aesKey
	b, err := base64.StdEncoding.DecodeString(s + "=")
	if len(s) != 43 || err != nil || len(b) != len(k.bytes) {
		return k, errors.New("want the 43 letters and digits that the console shows as EncodingAESKey")
	}
	copy(k.bytes[:], b)
	k.block, err = aes.NewCipher(k.bytes[:])
	return k, err
}

// signature is the platform's: SHA-1 over the sorted parts, in lower-case hex.
func signature(parts ...string) string {
	slices.Sort(parts)
	buf := make([]byte, 0, 512)
	for _, p := range parts {
		buf = append(buf, p...)
	}
	sum := sha1.Sum(buf) // #nosec G401 -- given by the protocol
	return hex.EncodeToString(sum[:])
}

// signed reports in constant time whether got signs the parts.
func signed(got string, parts ...string) bool {
	return subtle.ConstantTimeCompare([]byte(got), []byte(signature(parts...))) == 1
}

// encrypt seals msg for appID: base64 of AES-256-CBC over random | length | msg | appID, padded to 32 bytes.
func (k *aesKey) encrypt(random [16]byte, msg []byte, appID string) string {
	n := headSize + len(msg) + len(appID)
	pad := blockSize - n%blockSize
	buf := make([]byte, 0, n+pad)
	buf = append(buf, random[:]...)
	buf = binary.BigEndian.AppendUint32(buf, uint32(len(msg))) // #nosec G115 -- replies are a few kilobytes
	buf = append(buf, msg...)
	buf = append(buf, appID...)
	for range pad {
		buf = append(buf, byte(pad))
	}
	cipher.NewCBCEncrypter(k.block, k.bytes[:aes.BlockSize]).CryptBlocks(buf, buf)
	return base64.StdEncoding.EncodeToString(buf)
}

// decrypt opens what encrypt made. The error is errCipher, or errAppID where it was made for another account.
func (k *aesKey) decrypt(sealed, appID string) ([]byte, error) {
	buf, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil || len(buf) == 0 || len(buf)%blockSize != 0 {
		return nil, errCipher
	}
	cipher.NewCBCDecrypter(k.block, k.bytes[:aes.BlockSize]).CryptBlocks(buf, buf)
	pad := int(buf[len(buf)-1])
	if pad < 1 || pad > blockSize || len(buf)-pad < headSize {
		return nil, errCipher
	}
	for _, b := range buf[len(buf)-pad:] {
		if int(b) != pad {
			return nil, errCipher
		}
	}
	buf = buf[:len(buf)-pad]
	n := int64(binary.BigEndian.Uint32(buf[16:headSize]))
	if n > int64(len(buf)-headSize) {
		return nil, errCipher
	}
	msg, to := buf[headSize:headSize+n], buf[headSize+n:]
	if string(to) != appID {
		return nil, errAppID
	}
	return msg, nil
}
