package outbox

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// The platform takes a mass send, and a gateway on the way loses the answer: it says 503, as Envoy does when the connection behind it
// breaks. The list must not go out a second time under another reference.
func TestAMassSendWhoseAnswerWasLostInAGatewayGoesOnce(t *testing.T) {
	t.Parallel()
	f := setUp(t)
	first := true
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "mass/send") && first {
			first = false
			f.platform.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, "upstream connect error or disconnect/reset before headers. reset reason: connection termination")
			return
		}
		f.platform.ServeHTTP(w, r)
	}))
	t.Cleanup(gateway.Close)
	f.Outbox = f.another(f.Pool, gateway.URL)
	a, b := f.person("oA", ""), f.person("oB", "")
	f.freeze(Broadcast{Key: "m", Class: Notice, Mass: true, Text: "对接会"}, a, b)
	f.work()
	for range 10 {
		f.clock.advance(time.Minute)
		if _, err := f.findOut(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.work()
	}
	refs := map[string]bool{}
	for _, ref := range f.platform.refs {
		refs[ref] = true
	}
	if len(refs) != 1 {
		t.Errorf("the platform took the list under %d references, %q: everybody has it twice (%v)", len(refs), f.platform.refs, f.states("m"))
	}
}
