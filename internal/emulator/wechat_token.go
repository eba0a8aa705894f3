package emulator

import (
	"net/http"
	"time"
)

const (
	tokenLife = 7200 * time.Second
	// overlap is how long a token still works after a newer one was fetched, and how early stable_token hands out a new one.
	overlap = 5 * time.Minute
)

// tokens are the access tokens of one account. /cgi-bin/token and stable_token do not touch each other's.
type tokens struct {
	ends   map[string]time.Time // of every token issued; a zero time was invalidated
	plain  string               // latest of /cgi-bin/token
	stable string               // latest of stable_token
	forced time.Time            // last force_refresh
	calls  int                  // of both, for tests
}

func (t *tokens) issue(now time.Time) string {
	if t.ends == nil {
		t.ends = map[string]time.Time{}
	}
	for token, end := range t.ends {
		if now.Sub(end) > 24*time.Hour {
			delete(t.ends, token)
		}
	}
	token := "90_" + randomText(133, alphanum+"-_")
	t.ends[token] = now.Add(tokenLife)
	return token
}

// shorten lets a replaced token die soon.
func (t *tokens) shorten(token string, now time.Time, left time.Duration) {
	if end, ok := t.ends[token]; ok && end.After(now.Add(left)) {
		t.ends[token] = now.Add(left)
	}
}

func (t *tokens) check(token string, now time.Time) int {
	if token == "" {
		return codeTokenMissing
	}
	end, ok := t.ends[token]
	switch {
	case !ok || end.IsZero():
		return codeTokenInvalid
	case !now.Before(end):
		return codeTokenExpired
	}
	return 0
}

// InvalidateTokens makes every token that was handed out wrong (40001), as when the secret is reset.
func (w *WeChat) InvalidateTokens() { w.endTokens(time.Time{}) }

// ExpireTokens makes every token that was handed out expired (42001).
func (w *WeChat) ExpireTokens() { w.endTokens(w.o.Now()) }

func (w *WeChat) endTokens(end time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for token := range w.tokens.ends {
		w.tokens.ends[token] = end
	}
	w.tokens.plain, w.tokens.stable = "", ""
}

// TokenCalls is how often a token was asked for.
func (w *WeChat) TokenCalls() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tokens.calls
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
}

func (w *WeChat) credential(grant, appID, secret string) int {
	switch {
	case grant != "client_credential":
		return codeBadGrant
	case appID != w.o.AppID:
		return codeBadAppID
	case secret != w.o.AppSecret:
		return codeBadSecret
	}
	return 0
}

func (w *WeChat) getToken(r *http.Request, _ []byte) (any, int) {
	q := r.URL.Query()
	if code := w.credential(q.Get("grant_type"), q.Get("appid"), q.Get("secret")); code != 0 {
		return nil, code
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.o.Now()
	w.tokens.calls++
	w.tokens.shorten(w.tokens.plain, now, overlap)
	w.tokens.plain = w.tokens.issue(now)
	return tokenAnswer{w.tokens.plain, int(tokenLife.Seconds())}, 0
}

func (w *WeChat) getStableToken(_ *http.Request, body []byte) (any, int) {
	var in struct {
		GrantType    string `json:"grant_type"`
		AppID        string `json:"appid"`
		Secret       string `json:"secret"`
		ForceRefresh bool   `json:"force_refresh"`
	}
	if code := readJSON(body, &in); code != 0 {
		return nil, code
	}
	if code := w.credential(in.GrantType, in.AppID, in.Secret); code != 0 {
		return nil, code
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	t, now := &w.tokens, w.o.Now()
	t.calls++
	left := t.ends[t.stable].Sub(now)
	if t.ends == nil {
		t.ends = map[string]time.Time{}
	}
	switch {
	case in.ForceRefresh && now.Sub(t.forced) < 30*time.Second:
		return nil, codeBusy // one forced refresh in 30 s; the words of the refusal are not documented
	case in.ForceRefresh:
		t.ends[t.stable] = time.Time{}
		t.forced, t.stable = now, t.issue(now)
	case t.stable == "" || left < overlap:
		t.stable = t.issue(now) // the old one works to its end
	}
	return tokenAnswer{t.stable, int(t.ends[t.stable].Sub(now).Seconds())}, 0
}
