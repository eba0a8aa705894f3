package emulator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

// FaultKind is a way in which the other side can fail.
type FaultKind int

// The kinds of faults.
const (
	FaultCode       FaultKind = iota + 1 // nothing is done; the body holds Fault.Code and Fault.Message
	FaultSlow                            // done after Fault.Delay
	FaultBadGateway                      // nothing is done; HTTP 502 with a page of HTML
	FaultHalfBody                        // done, but the connection breaks in the middle of the answer
	FaultHang                            // done, but no answer comes before the caller gives up or Fault.Delay (default a minute) is over
	FaultDrop                            // nothing is done; the connection is closed without an answer
)

// Fault is what goes wrong with the next calls.
type Fault struct {
	Kind FaultKind
	// Call is the call that it is for: the end of a WeChat path ("custom/send") or an Aliyun action ("SendSms"); "" is any.
	Call string
	// Times is how many calls fail; 0 is one.
	Times int
	// Code is an errcode of WeChat ("-1", "45011") or a code of Aliyun ("isp.SYSTEM_ERROR"), for FaultCode.
	Code    string
	Message string
	Delay   time.Duration
}

// faults is the queue of what is to go wrong.
type faults struct {
	mu    sync.Mutex
	queue []Fault
}

func (f *faults) add(fault Fault) {
	if fault.Times <= 0 {
		fault.Times = 1
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, fault)
}

// take uses up the first fault that is for this call.
func (f *faults) take(call string) (Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.queue {
		if !strings.HasSuffix(call, f.queue[i].Call) {
			continue
		}
		fault := f.queue[i]
		if f.queue[i].Times--; f.queue[i].Times == 0 {
			f.queue = append(f.queue[:i:i], f.queue[i+1:]...)
		}
		return fault, true
	}
	return Fault{}, false
}

// serve answers r by next, or fails as the fault for this call says. refuse writes a FaultCode in the protocol's own words.
func (f *faults) serve(call string, w http.ResponseWriter, r *http.Request, next http.Handler, refuse func(http.ResponseWriter, Fault)) {
	fault, ok := f.take(call)
	if !ok {
		next.ServeHTTP(w, r)
		return
	}
	switch fault.Kind {
	case FaultCode:
		refuse(w, fault)
	case FaultSlow:
		if pause(r.Context(), fault.Delay) {
			next.ServeHTTP(w, r)
		}
	case FaultBadGateway:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>"))
	case FaultHalfBody:
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		half(w, answer)
	case FaultHang:
		next.ServeHTTP(httptest.NewRecorder(), r)
		if fault.Delay <= 0 {
			fault.Delay = time.Minute
		}
		pause(r.Context(), fault.Delay)
		panic(http.ErrAbortHandler)
	default:
		panic(http.ErrAbortHandler)
	}
}

// half announces the whole answer, sends the first half of it and breaks the connection.
func half(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	body := answer.Body.Bytes()
	_, _ = w.Write(body[:len(body)/2])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
