package bot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// ErrNotStored is wrapped by a Receive that failed before the message was safe. The platform then gets an HTTP 500 and sends
// the message again; after any other error the message counts as stored, to be answered later.
var ErrNotStored = errors.New("bot: the message is not stored")

// maxBody bounds a callback; real ones are a few kilobytes.
const maxBody = 1 << 20

// Handler answers the platform's GET and POST requests on one address. Make one with NewHandler.
type Handler struct {
	cfg     Config
	keys    []aesKey // current first
	receive func(context.Context, *Message) (Reply, error)

	mu      sync.Mutex
	flights map[string]*flight // messages being handled in this process, by key
	running sync.WaitGroup
}

// flight is one message on its way. reply and status are set before decided is closed.
type flight struct {
	decided chan struct{}
	once    sync.Once
	reply   Reply
	status  int
}

func (f *flight) decide(r Reply, status int) {
	f.once.Do(func() {
		f.reply, f.status = r, status
		close(f.decided)
	})
}

// NewHandler makes a Handler that gives each message to receive. receive's context ends after cfg.Patience and outlives the
// connection. A message that arrives again while it is being handled waits for the same outcome; one that arrives later is given to
// receive again, which is to return what it returned the first time. An error that wraps ErrNotStored and a panic answer 500, so that the
// platform repeats the message; any other error, and running out of time, answer "success".
// The error names the field of cfg that is wrong.
func NewHandler(cfg Config, receive func(context.Context, *Message) (Reply, error)) (*Handler, error) {
	keys, err := cfg.check()
	if err != nil {
		return nil, err
	}
	if receive == nil {
		return nil, errors.New("bot: receive is nil")
	}
	return &Handler{cfg: cfg, keys: keys, receive: receive, flights: make(map[string]*flight)}, nil
}

// Wait returns when no message is being handled any more, or with ctx's error. Call it after the HTTP server has shut down.
func (h *Handler) Wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		h.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ServeHTTP verifies and answers one request. What is not signed as configured gets 403 and an empty body.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		h.serveEcho(w, r)
	case http.MethodPost:
		h.serveMessage(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (h *Handler) serveEcho(w http.ResponseWriter, r *http.Request) {
	echo, err := h.openEcho(r.URL.Query())
	if err != nil {
		h.refuse(w, err)
		return
	}
	answer(w, "text/plain; charset=utf-8", echo)
}

func (h *Handler) serveMessage(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if err := h.fresh(query); err != nil {
		h.refuse(w, err)
		return
	}
	body, err := readBody(w, r)
	if err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
			return
		}
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in, err := h.open(query, body)
	if err != nil {
		h.refuse(w, err)
		return
	}
	if isJSON(in.body) {
		h.cfg.Log.Error("wechat callback in JSON is not handled: set 数据格式 to XML in the console (基本配置)")
		answer(w, "text/plain; charset=utf-8", []byte(success))
		return
	}
	m, err := Decode(in.body)
	if err != nil || m.FromUser == "" {
		h.cfg.Log.Warn("wechat callback without a sender", "bytes", len(in.body))
		answer(w, "text/plain; charset=utf-8", []byte(success))
		return
	}
	h.serve(w, r, m, in.key)
}

// serve waits for the outcome of m and writes it, encrypted with key unless that is nil.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, m *Message, key *aesKey) {
	id := m.Key()
	f := h.flight(r.Context(), id, m)
	select {
	case <-f.decided:
	case <-r.Context().Done():
		return // nobody listens any more; the message goes on
	}
	if f.status != http.StatusOK {
		w.WriteHeader(f.status)
		return
	}
	at := f.reply.At
	if at.IsZero() {
		at = m.CreateTime
	}
	if at.IsZero() {
		at = h.cfg.Now()
	}
	out := f.reply.xml(m, at)
	switch {
	case out == nil:
		answer(w, "text/plain; charset=utf-8", []byte(success))
	case key == nil:
		answer(w, "text/xml; charset=utf-8", out)
	default:
		answer(w, "text/xml; charset=utf-8", seal(key, h.cfg.Token, h.cfg.AppID, id, out, at))
	}
}

// flight joins the running one of the key, or starts it.
func (h *Handler) flight(ctx context.Context, id string, m *Message) *flight {
	h.mu.Lock()
	defer h.mu.Unlock()
	if f, ok := h.flights[id]; ok {
		return f
	}
	f := &flight{decided: make(chan struct{})}
	h.flights[id] = f
	h.running.Add(1)
	go h.run(context.WithoutCancel(ctx), id, m, f)
	return f
}

// run gives m to receive and decides the outcome: what it returns, or "success" when it has not returned a little after its context
// has ended.
func (h *Handler) run(ctx context.Context, id string, m *Message, f *flight) {
	defer h.running.Done()
	ctx, cancel := context.WithTimeout(ctx, h.cfg.Patience)
	defer cancel()
	late := time.AfterFunc(h.cfg.Patience+h.cfg.Patience/20, func() {
		h.cfg.Log.Warn("wechat message takes too long", "key", id)
		f.decide(Reply{}, http.StatusOK)
	})
	reply, status := h.call(ctx, id, m)
	late.Stop()
	h.mu.Lock()
	delete(h.flights, id) // whoever comes after the outcome is given to receive again
	h.mu.Unlock()
	f.decide(reply, status)
}

// call runs receive and turns what goes wrong into a status.
func (h *Handler) call(ctx context.Context, id string, m *Message) (reply Reply, status int) {
	log := h.cfg.Log.With("key", id)
	defer func() {
		if p := recover(); p != nil {
			log.Error("wechat message: panic", "panic", panicText(p), "stack", string(debug.Stack()))
			reply, status = Reply{}, http.StatusInternalServerError
		}
	}()
	reply, err := h.receive(ctx, m)
	switch {
	case err == nil:
		return reply, http.StatusOK
	case errors.Is(err, ErrNotStored):
		log.Error("wechat message: not stored", "err", err)
		return Reply{}, http.StatusInternalServerError
	default:
		log.Error("wechat message: to be answered later", "err", err)
		return Reply{}, http.StatusOK
	}
}

// panicText describes a panic without what people wrote: the run-time's own errors hold indexes and type names only.
func panicText(p any) string {
	var re runtime.Error
	if err, ok := p.(error); ok && errors.As(err, &re) {
		return re.Error()
	}
	return fmt.Sprintf("%T", p)
}

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	var buf bytes.Buffer
	buf.Grow(int(min(max(r.ContentLength, 0), 8<<10)) + bytes.MinRead)
	_, err := io.Copy(&buf, http.MaxBytesReader(w, r.Body, maxBody))
	return buf.Bytes(), err
}

// refuse answers 403 and nothing else. The log names the reason, and never what the request held.
func (h *Handler) refuse(w http.ResponseWriter, reason error) {
	level := slog.LevelWarn
	if errors.Is(reason, errCipher) || errors.Is(reason, errAppID) || errors.Is(reason, errMode) {
		level = slog.LevelError // signed by the platform, or our settings differ from the console's
	}
	h.cfg.Log.Log(context.Background(), level, "wechat callback refused", "reason", reason)
	w.WriteHeader(http.StatusForbidden)
}

func answer(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}
