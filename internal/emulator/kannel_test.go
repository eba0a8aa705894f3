package emulator

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// kannel is bearerbox and smsbox, an ESME that no one here wrote, bound to an SMSC.
type kannel struct {
	sendsms string
	mo, dlr chan url.Values
	answer  func(text string) string
}

// sbin is where Debian puts Kannel's programs, which an ordinary user does not have on the PATH.
func program(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	return exec.LookPath(filepath.Join("/usr/sbin", name))
}

// startProgram runs a program until the test ends. A shell stands between: when this process dies in any way, its standard input ends
// and it kills the program.
func startProgram(t *testing.T, path string, args ...string) {
	t.Helper()
	const nurse = `"$@" & child=$!; cat >/dev/null; kill -9 $child; wait $child`
	cmd := exec.CommandContext(context.Background(), "sh", append([]string{"-c", nurse, "sh", path}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(path), out.String())
		}
	})
}

// freePorts are n ports of the loopback that nobody listens on.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

const kannelConf = `
group = core
admin-port = %[1]d
admin-interface = 127.0.0.1
admin-password = x
smsbox-port = %[2]d
smsbox-interface = 127.0.0.1
box-allow-ip = 127.0.0.1

group = smsc
smsc = smpp
smsc-id = emulator
host = 127.0.0.1
port = %[4]s
transceiver-mode = true
smsc-username = nongxun
smsc-password = secret
system-type = VMA
reconnect-delay = 1
enquire-link-interval = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = %[3]d
sendsms-interface = 127.0.0.1

group = sendsms-user
username = u
password = p
max-messages = 10
concatenation = true

group = sms-service
keyword = default
accept-x-kannel-headers = true
get-url = "%[5]s/mo?from=%%p&to=%%P&coding=%%c&text=%%b"
max-messages = 10
concatenation = true
`

func startKannel(t *testing.T, s *SMSC) *kannel {
	t.Helper()
	bearerbox, err1 := program("bearerbox")
	smsbox, err2 := program("smsbox")
	if err1 != nil || err2 != nil {
		t.Skip("NOT TESTED against Kannel: bearerbox and smsbox are missing; make setup-tests installs them (apt-get install --no-install-recommends kannel)")
	}
	k := &kannel{mo: make(chan url.Values, 100), dlr: make(chan url.Values, 100), answer: func(string) string { return "" }}
	var mu sync.Mutex
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("coding") == "2" {
			q.Set("text", fromUTF16([]byte(q.Get("text"))))
		}
		w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		w.Header().Set("X-Kannel-Coding", "2")
		if r.URL.Path == "/dlr" {
			k.dlr <- q
			return
		}
		mu.Lock()
		answer := k.answer(q.Get("text"))
		mu.Unlock()
		k.mo <- q
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(service.Close)
	ports := freePorts(t, 3)
	_, port, _ := net.SplitHostPort(s.Addr())
	conf := filepath.Join(t.TempDir(), "kannel.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, kannelConf, ports[0], ports[1], ports[2], port, service.URL), 0o600); err != nil {
		t.Fatal(err)
	}
	k.sendsms = fmt.Sprintf("http://127.0.0.1:%d/cgi-bin/sendsms?username=u&password=p&from=10690001&charset=UTF-8&coding=2&dlr-mask=3&dlr-url=%s",
		ports[2], url.QueryEscape(service.URL+"/dlr?state=%d"))
	startProgram(t, bearerbox, "-v", "2", conf)
	until(t, "bearerbox is bound", func() bool { return s.Stats().Binds > 0 })
	startProgram(t, smsbox, "-v", "2", conf)
	until(t, "smsbox listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", ports[2]))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return k
}

// until waits until something holds.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	limit, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("not within 30 s: %s", what)
		}
	}
}

func (k *kannel) send(t *testing.T, phone, text string) {
	t.Helper()
	resp, err := http.Get(k.sendsms + "&to=" + phone + "&text=" + url.QueryEscape(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusAccepted {
		t.Fatalf("sendsms says %s: %s", resp.Status, body)
	}
}

func next(t *testing.T, what string, c <-chan url.Values) url.Values {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(30 * time.Second):
		t.Fatalf("not within 30 s: %s", what)
		return nil
	}
}

func TestKannelBindsToTheSMSC(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	shown := map[string][]string{}
	s, err := NewSMSC(SMSCOptions{
		SystemID: "nongxun", Password: "secret", SystemType: "VMA", Number: "10690001", ReportDelay: 50 * time.Millisecond,
		Deliver: func(phone, text string) {
			mu.Lock()
			defer mu.Unlock()
			shown[phone] = append(shown[phone], text)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	k := startKannel(t, s)
	long := strings.Repeat("黄桃今天3.5元一斤，", 12) + "完"
	k.answer = func(text string) string { return "收到：" + text }
	shows := func(phone string, want ...string) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Logf("the phones show %q", shown)
			}
		}()
		until(t, phone+" shows its texts", func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Equal(shown[phone], want)
		})
	}

	for _, text := range []string{"黄桃5000斤", "GY 5000 3.5", long} {
		if err := s.Text(t.Context(), "8613800000001", "10690001", text); err != nil {
			t.Fatal(err)
		}
		if q := next(t, "Kannel has the text", k.mo); q.Get("text") != text || q.Get("from") != "+8613800000001" || q.Get("to") != "10690001" {
			t.Errorf("Kannel received %v, the phone sent %q", q, text)
		}
	}
	shows("8613800000001", "收到：黄桃5000斤", "收到：GY 5000 3.5", "收到："+long)

	k.send(t, "13800000002", long)
	shows("13800000002", long)
	if q := next(t, "the receipt of a delivered text", k.dlr); q.Get("state") != "1" {
		t.Errorf("receipt %v, want state 1: delivered", q)
	}
	s.Kill("13800000003", "UNDELIV")
	k.send(t, "13800000003", "x")
	if q := next(t, "the receipt of a lost text", k.dlr); q.Get("state") != "2" {
		t.Errorf("receipt %v, want state 2: not delivered", q)
	}

	s.Enquire()
	binds := s.Stats().Binds
	s.Cut()
	until(t, "Kannel has bound again", func() bool { return s.Stats().Binds > binds })
	k.send(t, "13800000004", "又连上了")
	shows("13800000004", "又连上了")
	until(t, "Kannel has enquired", func() bool { return s.Stats().Enquiries > 0 })
	if c := s.Complaints(); len(c) > 0 {
		t.Errorf("the SMSC complains of Kannel: %q", c)
	}
}
