package bot

import (
	"context"
	"sync"
	"time"

	"github.com/silenceper/wechat/v2/credential"
)

// TokenStore keeps access tokens where all replicas see them.
type TokenStore interface {
	// Get returns "" when the key is absent or its time is over.
	Get(ctx context.Context, key string) (string, error)
	Put(ctx context.Context, key, val string, ttl time.Duration) error
	// DeleteIf removes the key only while it still holds val, so that a slow loser does not throw away the token that a faster
	// replica has just stored.
	DeleteIf(ctx context.Context, key, val string) error
}

var _ credential.AccessTokenContextHandle = (*Client)(nil)

func (c *Client) tokenKey() string { return "wechat:stable_token:" + c.cfg.AppID }

// tokenRefused reports the codes after which a new token may help.
func tokenRefused(code int) bool { return code == 40001 || code == 40014 || code == 42001 }

// Token returns the account's access token, from the store or else from the platform. Replicas that ask the platform at once
// get the same token, and a store that does not answer only costs a call.
func (c *Client) Token(ctx context.Context) (string, error) {
	if token := c.stored(ctx); token != "" {
		return token, nil
	}
	select {
	case c.fetching <- struct{}{}:
		defer func() { <-c.fetching }()
	case <-ctx.Done():
		return "", &Error{Kind: RetryLater, Op: opToken.path, Message: ctx.Err().Error(), cause: contextError(ctx.Err())}
	}
	if token := c.stored(ctx); token != "" {
		return token, nil
	}
	var out credential.ResAccessToken
	in := map[string]any{
		"grant_type": "client_credential", "appid": c.cfg.AppID, "secret": c.cfg.AppSecret, "force_refresh": false,
	}
	if err := c.post(ctx, opToken, "", in, &out); err != nil {
		return "", err
	}
	if out.AccessToken == "" {
		return "", &Error{Kind: RetryLater, Op: opToken.path, Message: "the answer holds no token"}
	}
	if err := c.cfg.Store.Put(ctx, c.tokenKey(), out.AccessToken, tokenTTL(out.ExpiresIn)); err != nil {
		c.cfg.Log.Warn("wechat token not stored", "err", err)
	}
	return out.AccessToken, nil
}

// tokenTTL ends five minutes before the token does, when the platform begins to hand out the next one and takes both.
func tokenTTL(expiresIn int64) time.Duration {
	const early, least = 5 * time.Minute, 30 * time.Second
	life := time.Duration(min(max(expiresIn, 1), 7200)) * time.Second
	return max(life-early, min(life, least))
}

func (c *Client) stored(ctx context.Context) string {
	token, err := c.cfg.Store.Get(ctx, c.tokenKey())
	if err != nil {
		c.cfg.Log.Warn("wechat token store does not answer", "err", err)
		return ""
	}
	return token
}

func (c *Client) drop(ctx context.Context, token string) {
	if err := c.cfg.Store.DeleteIf(ctx, c.tokenKey(), token); err != nil {
		c.cfg.Log.Warn("wechat token not dropped", "err", err)
	}
}

// GetAccessToken lets silenceper's own types use this client's token.
func (c *Client) GetAccessToken() (string, error) { return c.Token(context.Background()) }

// GetAccessTokenContext is Token under the name that silenceper knows.
func (c *Client) GetAccessTokenContext(ctx context.Context) (string, error) { return c.Token(ctx) }

// memoryStore is the TokenStore of a single process.
type memoryStore struct {
	now func() time.Time
	mu  sync.Mutex
	m   map[string]memoryToken
}

type memoryToken struct {
	val  string
	ends time.Time
}

func newMemoryStore(now func() time.Time) *memoryStore {
	return &memoryStore{now: now, m: make(map[string]memoryToken)}
}

func (s *memoryStore) Get(_ context.Context, key string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.m[key]; s.now().Before(t.ends) {
		return t.val, nil
	}
	return "", nil
}

func (s *memoryStore) Put(_ context.Context, key, val string, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.m[key] = memoryToken{val, s.now().Add(ttl)}
	return nil
}

func (s *memoryStore) DeleteIf(_ context.Context, key, val string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.m[key].val == val {
		delete(s.m, key)
	}
	return nil
}
