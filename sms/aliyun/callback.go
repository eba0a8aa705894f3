package aliyun

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/nongxun/nongxun/sms"
)

const (
	maxBody = 1 << 20
	// commitLimit bounds the caller's commit. Aliyun itself waits 700 ms and then pushes again, which does no harm.
	commitLimit = 10 * time.Second
)

// handler receives both callbacks.
type handler struct {
	secrets [][sha256.Size]byte
	up      func(context.Context, []sms.Incoming) error
	report  func(context.Context, []sms.Receipt) error
	log     *slog.Logger
	now     func() time.Time
}

// NewHandler serves /sms/aliyun/{secret}/up (SmsUp) and /sms/aliyun/{secret}/report (SmsReport). Aliyun signs nothing, so the
// secret path segment is all there is: any of secrets passes (two while one is being changed), none given means that all is
// refused with 403 and an empty body.
//
// up and report get what was pushed, without repeats inside one push, and must have committed it when they return nil: only then
// the answer is 200, else 503 and Aliyun pushes again after 1, 5 and 10 minutes and then never more. Their context lives on when
// Aliyun hangs up. An item that cannot be read is left out and counted in the log; neither path nor body is ever logged.
func NewHandler(secrets []string, up func(context.Context, []sms.Incoming) error, report func(context.Context, []sms.Receipt) error,
	log *slog.Logger, now func() time.Time,
) http.Handler {
	h := &handler{up: up, report: report, log: log, now: now}
	if h.log == nil {
		h.log = slog.New(slog.DiscardHandler)
	}
	if h.now == nil {
		h.now = time.Now
	}
	for _, s := range secrets {
		if s = strings.TrimSpace(s); s != "" {
			h.secrets = append(h.secrets, sha256.Sum256([]byte(s)))
		}
	}
	return h
}

func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/") // "", sms, aliyun, secret, up
	if len(parts) != 5 || parts[0] != "" || parts[1] != "sms" || parts[2] != "aliyun" || !h.allowed(parts[3]) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	kind := parts[4]
	switch {
	case kind != "up" && kind != "report":
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodGet || r.Method == http.MethodHead: // the console probes the address
		reply(w, http.StatusOK, `{"code":0,"msg":"成功"}`)
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		h.receive(w, r, kind)
	}
}

// allowed compares in constant time with every secret.
func (h *handler) allowed(secret string) bool {
	given, found := sha256.Sum256([]byte(secret)), 0
	for i := range h.secrets {
		found |= subtle.ConstantTimeCompare(given[:], h.secrets[i][:])
	}
	return found == 1
}

func (h *handler) receive(w http.ResponseWriter, r *http.Request, kind string) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		h.log.WarnContext(r.Context(), "aliyun callback refused", "kind", kind, "reason", "too large")
		reply(w, http.StatusRequestEntityTooLarge, `{"code":1,"msg":"内容过大"}`)
		return
	}
	if err != nil {
		reply(w, http.StatusBadRequest, `{"code":1,"msg":"内容不完整"}`)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), commitLimit)
	defer cancel()
	items, whole := parseItems(body)
	var read int
	if kind == "up" {
		read, err = h.takeUp(ctx, items)
	} else {
		read, err = h.takeReport(ctx, items)
	}
	if read < len(items) || !whole {
		h.log.WarnContext(ctx, "aliyun callback partly unreadable", "kind", kind, "items", len(items), "read", read, "whole", whole)
	}
	switch {
	case err != nil:
		h.log.ErrorContext(ctx, "aliyun callback not stored", "kind", kind, "items", read, "err", err)
		reply(w, http.StatusServiceUnavailable, `{"code":1,"msg":"暂时无法接收"}`)
	case !whole: // what came before the damage is stored; the whole may come once more
		reply(w, http.StatusBadRequest, `{"code":1,"msg":"格式不正确"}`)
	default:
		reply(w, http.StatusOK, `{"code":0,"msg":"接收成功"}`)
	}
}

func (h *handler) takeUp(ctx context.Context, items []item) (read int, err error) {
	in, read := incoming(items, h.now())
	if len(in) > 0 {
		err = h.up(ctx, in)
	}
	return read, err
}

func (h *handler) takeReport(ctx context.Context, items []item) (read int, err error) {
	receipts, read := receipts(items, h.now())
	if len(receipts) > 0 {
		err = h.report(ctx, receipts)
	}
	return read, err
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}
