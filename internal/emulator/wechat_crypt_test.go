package emulator

import (
	"testing"

	"pgregory.net/rapid"
)

// Values of the platform's own page 消息推送 (developers.weixin.qq.com, 2024 sample), one real callback of 2014 that twinh/wei keeps in its
// tests, and one of WxJava's.
func TestWechatSignature(t *testing.T) {
	for _, c := range []struct {
		parts []string
		want  string
	}{
		{[]string{"AAAAA", "1714036504", "1514711492"}, "f464b24fc39322e44b38aa78f5edd27bd1441696"},
		{[]string{"AAAAA", "1714037059", "486452656"}, "899cf89e464efb63f54ddac96b0a0a235f53aa78"},
		{[]string{"weixin", "1414243737", "1792106704"}, "35703636de2f9df2a77a662b68e521ce17c34db4"},
		{[]string{"AAAAA", "1713424427", "415670741", "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="}, "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"},
	} {
		if got := wechatSignature(c.parts...); got != c.want {
			t.Errorf("%q: %s, want %s", c.parts, got, c.want)
		}
	}
}

func TestEnvelopeSamples(t *testing.T) {
	for _, c := range []struct{ name, key, appID, random, message, encrypted string }{
		{
			"official reply", testAESKey, testAppID, "707722b803182950", `{"demo_resp":"good luck"}`,
			"ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
		},
		{
			"official message", testAESKey, testAppID, "a8eedb185eb2fecf",
			`{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}`,
			"+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=",
		},
		{
			"WxJava, Chinese", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxb11529c136998cb6", "aaaabbbbccccdddd", "我是中文abcd123",
			"jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := newEnvelope(c.key, c.appID)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := e.seal([]byte(c.random), []byte(c.message)); err != nil || got != c.encrypted {
				t.Errorf("sealed %s (%v)", got, err)
			}
			if got, err := e.open(c.encrypted); err != nil || string(got) != c.message {
				t.Errorf("opened %q (%v)", got, err)
			}
			other, _ := newEnvelope(c.key, c.appID+"1")
			if _, err := other.open(c.encrypted); err == nil {
				t.Error("opened for another appid")
			}
		})
	}
}

func TestEnvelopeHolds(t *testing.T) {
	e, err := newEnvelope(testAESKey, testAppID)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		sealed, err := e.seal([]byte("0123456789abcdef"), message)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.open(sealed); err != nil || string(got) != string(message) {
			t.Fatalf("%q %v", got, err)
		}
		_, _ = e.open(rapid.String().Draw(t, "noise"))
	})
	for _, key := range []string{"", "12", testAESKey + "A", "!" + testAESKey[1:]} {
		if _, err := newEnvelope(key, testAppID); err == nil {
			t.Errorf("key %q was taken", key)
		}
	}
}
