package emulator

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"sort"
	"strings"
)

// Source: developers.weixin.qq.com, 消息推送 / 消息加解密说明.

// wechatSignature is sha1 over the sorted parts: token, timestamp, nonce and, for msg_signature, the Encrypt element.
func wechatSignature(parts ...string) string {
	sorted := append([]string(nil), parts...)
	sort.Strings(sorted)
	sum := sha1.Sum([]byte(strings.Join(sorted, "")))
	return hex.EncodeToString(sum[:])
}

// envelope is the AES layer of one account: AES-256-CBC, IV the first 16 bytes of the key, PKCS#7 to blocks of 32,
// plaintext = 16 random bytes | length, big-endian, 4 bytes | message | appid.
type envelope struct {
	key   []byte
	appID string
}

// newEnvelope takes the 43 characters of EncodingAESKey.
func newEnvelope(encodingAESKey, appID string) (*envelope, error) {
	// The last character carries unused low bits, which strict decoding would refuse.
	key, err := base64.StdEncoding.DecodeString(encodingAESKey + "=")
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("EncodingAESKey must be 43 characters of base64, got %d characters", len(encodingAESKey))
	}
	return &envelope{key: key, appID: appID}, nil
}

const paddedBlock = 32

func (e *envelope) seal(random, message []byte) (string, error) {
	if len(random) != 16 {
		return "", fmt.Errorf("16 random bytes are needed, got %d", len(random))
	}
	plain := append([]byte(nil), random...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(message)))
	plain = append(plain, message...)
	plain = append(plain, e.appID...)
	pad := paddedBlock - len(plain)%paddedBlock
	plain = append(plain, bytes.Repeat([]byte{byte(pad)}, pad)...)
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return "", err
	}
	cipher.NewCBCEncrypter(block, e.key[:16]).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain), nil
}

func (e *envelope) open(encrypted string) ([]byte, error) {
	data, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil {
		return nil, fmt.Errorf("element Encrypt is not base64: %w", err)
	}
	if len(data) == 0 || len(data)%paddedBlock != 0 {
		return nil, fmt.Errorf("element Encrypt holds %d bytes, not a multiple of %d", len(data), paddedBlock)
	}
	block, err := aes.NewCipher(e.key)
	if err != nil {
		return nil, err
	}
	cipher.NewCBCDecrypter(block, e.key[:16]).CryptBlocks(data, data)
	pad := int(data[len(data)-1])
	if pad < 1 || pad > paddedBlock || !bytes.Equal(data[len(data)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		return nil, errors.New("wrong padding after decryption (wrong EncodingAESKey?)")
	}
	data = data[:len(data)-pad]
	if len(data) < 20 {
		return nil, errors.New("decrypted text is too short")
	}
	length := binary.BigEndian.Uint32(data[16:20])
	rest := data[20:]
	if uint64(length) > uint64(len(rest)) {
		return nil, errors.New("decrypted length is longer than the text")
	}
	if appID := string(rest[length:]); appID != e.appID {
		return nil, fmt.Errorf("decrypted appid is %q, not %q", appID, e.appID)
	}
	return rest[:length], nil
}

// randomText draws n characters of the alphabet.
func randomText(n int, alphabet string) string {
	out := make([]byte, n)
	for i := range out {
		k, err := rand.Int(rand.Reader, big.NewInt(int64(len(alphabet))))
		if err != nil {
			panic(err) // crypto/rand does not fail on the systems that Go supports
		}
		out[i] = alphabet[k.Int64()]
	}
	return string(out)
}

const (
	digits   = "0123456789"
	hexits   = "0123456789abcdef"
	alphanum = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
