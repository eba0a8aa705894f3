package bot

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/silenceper/wechat/v2/util"
	"pgregory.net/rapid"
)

// Key, account and cipher texts: EasyWeChat tests/Kernel/EncryptorTest.php and WxJava WxCryptUtilTest.
const (
	testKey   = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	testAppID = "wxb11529c136998cb6"
	testToken = "pamtest"
)

func mustKey(t testing.TB, s string) *aesKey {
	t.Helper()
	k, err := parseAESKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return &k
}

func TestEncryptKnown(t *testing.T) {
	const want = "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg=="
	if got := mustKey(t, testKey).encrypt([16]byte([]byte("aaaabbbbccccdddd")), []byte("我是中文abcd123"), testAppID); got != want {
		t.Errorf("got %s", got)
	}
}

// Official sample of 2024: the address check.
func TestSignatureKnown(t *testing.T) {
	if !signed("f464b24fc39322e44b38aa78f5edd27bd1441696", "AAAAA", "1714036504", "1514711492") {
		t.Error("official signature refused")
	}
	for _, bad := range []string{"", "f464b24fc39322e44b38aa78f5edd27bd1441697", "f464"} {
		if signed(bad, "AAAAA", "1714036504", "1514711492") {
			t.Errorf("%q accepted", bad)
		}
	}
}

func TestParseAESKey(t *testing.T) {
	// The low bits of the last character have no meaning: G and E are one key.
	if mustKey(t, testKey).bytes != mustKey(t, testKey[:42]+"E").bytes {
		t.Error("low bits of the last character count")
	}
	for _, bad := range []string{"", "12", testKey + "A", testKey[:42] + "!", testKey[:42]} {
		if _, err := parseAESKey(bad); err == nil {
			t.Errorf("%q accepted", bad)
		} else if bad != "" && strings.Contains(err.Error(), bad) {
			t.Errorf("the error shows the key: %v", err)
		}
	}
}

func TestDecryptInvertsEncrypt(t *testing.T) {
	k := mustKey(t, testKey)
	rapid.Check(t, func(t *rapid.T) {
		msg := rapid.SliceOf(rapid.Byte()).Draw(t, "msg")
		random := [16]byte(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "random"))
		appID := rapid.StringMatching(`wx[0-9a-f]{16}`).Draw(t, "appID")
		sealed := k.encrypt(random, msg, appID)
		got, err := k.decrypt(sealed, appID)
		if err != nil || !slices.Equal(got, msg) {
			t.Fatalf("got %q, %v", got, err)
		}
		if _, err := k.decrypt(sealed, appID+"x"); !errors.Is(err, errAppID) {
			t.Fatalf("another account: %v", err)
		}
		// silenceper's own primitives agree; they refuse an empty account.
		if _, raw, err := util.DecryptMsg(appID, sealed, testKey); err != nil || !slices.Equal(raw, msg) {
			t.Fatalf("silenceper reads %q, %v", raw, err)
		}
	})
}

func TestSignatureIgnoresOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "parts")
		if signature(slices.Clone(parts)...) != signature(rapid.Permutation(parts).Draw(t, "shuffled")...) {
			t.Fatal("order counts")
		}
		if signature(slices.Clone(parts)...) != util.Signature(slices.Clone(parts)...) {
			t.Fatal("silenceper signs otherwise")
		}
	})
}

func FuzzDecrypt(f *testing.F) {
	k := mustKey(f, testKey)
	f.Add(k.encrypt([16]byte{}, []byte(textXML), testAppID), testAppID)
	f.Add(k.encrypt([16]byte{1}, nil, ""), "")
	f.Add("AAAA", "x")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, sealed, appID string) {
		msg, err := k.decrypt(sealed, appID)
		if err != nil {
			return
		}
		again, err := k.decrypt(k.encrypt([16]byte{}, msg, appID), appID)
		if err != nil || !slices.Equal(again, msg) {
			t.Fatalf("%q: %q, %v", msg, again, err)
		}
	})
}
