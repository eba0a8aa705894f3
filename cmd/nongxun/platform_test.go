package main

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the tests' service account is set to.
const (
	testAppID  = "wxb11529c136998cb6"
	testToken  = "pamtest"
	testAESKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
)

// callback is one text message as the platform posts it: the query and the body, encrypted in secure mode.
type callback struct{ query, body string }

func textXML(openid string, id int64, at time.Time, text string) string {
	return fmt.Sprintf("<xml><ToUserName><![CDATA[gh_0]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId></xml>", openid, at.Unix(), text, id)
}

func sign(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

func plainCallback(xml string, at time.Time) callback {
	stamp := fmt.Sprint(at.Unix())
	return callback{fmt.Sprintf("signature=%s&timestamp=%s&nonce=1", sign(testToken, stamp, "1"), stamp), xml}
}

func secureCallback(tb testing.TB, xml string, at time.Time) callback {
	tb.Helper()
	key, err := base64.StdEncoding.DecodeString(testAESKey + "=")
	if err != nil {
		tb.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		tb.Fatal(err)
	}
	message := append([]byte("0123456789abcdef"), binary.BigEndian.AppendUint32(nil, uint32(len(xml)))...)
	message = append(append(message, xml...), testAppID...)
	pad := 32 - len(message)%32
	message = append(message, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(message, message)
	sealed, stamp := base64.StdEncoding.EncodeToString(message), fmt.Sprint(at.Unix())
	return callback{
		fmt.Sprintf("signature=%s&timestamp=%s&nonce=1&encrypt_type=aes&msg_signature=%s", sign(testToken, stamp, "1"), stamp, sign(testToken, stamp, "1", sealed)),
		"<xml><ToUserName><![CDATA[gh_0]]></ToUserName><Encrypt><![CDATA[" + sealed + "]]></Encrypt></xml>",
	}
}

// post sends a callback and returns the status and body of the answer.
func (c callback) post(ctx context.Context, client *http.Client, base string) (int, string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/wechat?"+c.query, strings.NewReader(c.body))
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

// poolClient is a client of n connections.
func poolClient(n int) *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: n, MaxConnsPerHost: n}}
}
