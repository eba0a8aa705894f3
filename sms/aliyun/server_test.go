package aliyun_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nongxun/nongxun/sms/aliyun"
)

const (
	keyID, keySecret = "LTAITEST", "test-secret"
	sign             = "示例县商务局"
)

// server is the little of dysmsapi that the tests need; it verifies the HMAC-SHA1 signature of each call as the RPC rules say.
type server struct {
	t      *testing.T
	answer func(v url.Values) (status int, body string) // nil: OK

	mu     sync.Mutex
	calls  []url.Values
	nonces map[string]bool
}

func serve(t *testing.T, answer func(url.Values) (int, string)) (*server, *aliyun.Gateway) {
	t.Helper()
	s := &server{t: t, answer: answer, nonces: map[string]bool{}}
	ts := httptest.NewServer(s)
	t.Cleanup(ts.Close)
	return s, gateway(t, aliyun.Config{Endpoint: ts.URL})
}

func gateway(t *testing.T, c aliyun.Config) *aliyun.Gateway {
	t.Helper()
	c.AccessKeyID, c.SignName = keyID, sign
	if c.AccessKeySecret == "" {
		c.AccessKeySecret = keySecret
	}
	if c.Templates == nil {
		c.Templates = map[string]string{"reply1": "SMS_R1", "reply2": "SMS_R2", "notice1": "SMS_N1"}
	}
	g, err := aliyun.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	v := r.Form
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	stringToSign, signature := rpcSignature(r.Method, v, keySecret)
	if v.Get("AccessKeyId") != keyID || !hmac.Equal([]byte(signature), []byte(v.Get("Signature"))) {
		w.WriteHeader(http.StatusBadRequest)
		write(w, map[string]any{"Code": "SignatureDoesNotMatch", "Message": "Specified signature is not matched with our calculation. server string to sign is:" + stringToSign})
		return
	}
	s.mu.Lock()
	if s.nonces[v.Get("SignatureNonce")] {
		s.t.Error("a nonce was used twice")
	}
	s.nonces[v.Get("SignatureNonce")] = true
	s.calls = append(s.calls, v)
	s.mu.Unlock()
	if ts, err := time.Parse("2006-01-02T15:04:05Z", v.Get("Timestamp")); err != nil || time.Since(ts).Abs() > time.Minute {
		s.t.Errorf("timestamp %q: %v", v.Get("Timestamp"), err)
	}
	status, body := http.StatusOK, `{"RequestId":"1","Code":"OK","Message":"OK","BizId":"9006^0"}`
	if s.answer != nil {
		status, body = s.answer(v)
	}
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body))
}

func (s *server) seen() []url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func write(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }

// rpcSignature is Aliyun's RPC signature, version 1.0, written from its document.
func rpcSignature(method string, v url.Values, secret string) (stringToSign, signature string) {
	escape := func(s string) string {
		return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
	}
	var pairs []string
	for k := range v {
		if k != "Signature" {
			pairs = append(pairs, escape(k)+"="+escape(v.Get(k)))
		}
	}
	slices.Sort(pairs)
	stringToSign = method + "&%2F&" + escape(strings.Join(pairs, "&"))
	m := hmac.New(sha1.New, []byte(secret+"&"))
	m.Write([]byte(stringToSign))
	return stringToSign, base64.StdEncoding.EncodeToString(m.Sum(nil))
}
