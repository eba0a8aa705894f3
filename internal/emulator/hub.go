package emulator

import (
	"encoding/json"
	"sync"
)

// hub carries news to every open page.
type hub struct {
	mu     sync.Mutex
	pages  map[chan []byte]bool
	closed bool
}

func newHub() *hub { return &hub{pages: map[chan []byte]bool{}} }

// backlog is how much news a page may be behind; one that is further behind is cut off, reconnects and loads everything anew.
const backlog = 256

func (h *hub) send(kind string, v any) {
	data, err := json.Marshal(struct {
		Kind string `json:"kind"`
		Data any    `json:"data"`
	}{kind, v})
	if err != nil {
		return // what is sent are our own types, which marshal
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for page := range h.pages {
		select {
		case page <- data:
		default:
			delete(h.pages, page)
			close(page)
		}
	}
}

// join opens a stream of news; it is closed when the page is too slow or the emulator ends.
func (h *hub) join() (news <-chan []byte, leave func()) {
	page := make(chan []byte, backlog)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		close(page)
		return page, func() {}
	}
	h.pages[page] = true
	return page, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.pages[page] {
			delete(h.pages, page)
			close(page)
		}
	}
}

func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for page := range h.pages {
		delete(h.pages, page)
		close(page)
	}
}
