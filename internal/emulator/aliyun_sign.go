package emulator

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// Source: help.aliyun.com, RPC 机制的签名方法 (SignatureVersion 1.0).

// percentEncode is RFC 3986 as Aliyun wants it: a blank is %20, * is %2A, ~ stays.
func percentEncode(s string) string {
	s = url.QueryEscape(s)
	s = strings.ReplaceAll(s, "+", "%20")
	s = strings.ReplaceAll(s, "*", "%2A")
	return strings.ReplaceAll(s, "%7E", "~")
}

// aliyunStringToSign is METHOD & %2F & the encoded canonical query, Signature itself left out, empty values kept.
func aliyunStringToSign(method string, params url.Values) string {
	names := make([]string, 0, len(params))
	for name := range params {
		if name != "Signature" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	pairs := make([]string, len(names))
	for i, name := range names {
		pairs[i] = percentEncode(name) + "=" + percentEncode(params.Get(name))
	}
	return method + "&" + percentEncode("/") + "&" + percentEncode(strings.Join(pairs, "&"))
}

func aliyunSignature(secret, stringToSign string) string {
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(stringToSign))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signatureAge is how far a request's Timestamp may be from the provider's clock.
const signatureAge = 15 * time.Minute

// aliyunError is a refusal. Errors of the gateway have an HTTP status of their own; business errors come with 200.
type aliyunError struct {
	status        int
	code, message string
}

// authenticate checks key, signature, timestamp and nonce of a request whose form is parsed.
func (a *Aliyun) authenticate(r *http.Request) *aliyunError {
	p := r.Form
	for _, name := range []string{"AccessKeyId", "Action", "Signature", "SignatureNonce", "Timestamp", "Version"} {
		if p.Get(name) == "" {
			return &aliyunError{http.StatusBadRequest, "Missing" + name, name + " is mandatory for this action."}
		}
	}
	switch {
	case p.Get("SignatureMethod") != "HMAC-SHA1" || p.Get("SignatureVersion") != "1.0":
		return &aliyunError{http.StatusBadRequest, "InvalidSignatureMethod", "Only HMAC-SHA1, version 1.0, is emulated."}
	case p.Get("AccessKeyId") != a.o.AccessKeyID:
		return &aliyunError{http.StatusNotFound, "InvalidAccessKeyId.NotFound", "Specified access key is not found."}
	}
	toSign := aliyunStringToSign(r.Method, p)
	if !hmac.Equal([]byte(aliyunSignature(a.o.AccessKeySecret, toSign)), []byte(p.Get("Signature"))) {
		return &aliyunError{
			http.StatusBadRequest, "SignatureDoesNotMatch",
			"Specified signature is not matched with our calculation. server string to sign is:" + toSign,
		}
	}
	now := a.o.SignatureNow()
	at, err := time.Parse("2006-01-02T15:04:05Z", p.Get("Timestamp"))
	if err != nil || now.Sub(at).Abs() > signatureAge {
		return &aliyunError{http.StatusBadRequest, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired."}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for nonce, used := range a.nonces {
		if len(a.nonces) < 100_000 {
			break // forgotten only when there are many
		}
		if now.Sub(used) > 2*signatureAge {
			delete(a.nonces, nonce)
		}
	}
	if _, used := a.nonces[p.Get("SignatureNonce")]; used {
		return &aliyunError{http.StatusBadRequest, "SignatureNonceUsed", "Specified signature nonce was used already."}
	}
	a.nonces[p.Get("SignatureNonce")] = now
	return nil
}
