package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tokens keeps access tokens where all replicas find them. It is a bot.TokenStore.
type Tokens struct {
	pool *pgxpool.Pool
	now  func() time.Time
}

// NewTokens returns the tokens of this database; now nil is time.Now.
func NewTokens(pool *pgxpool.Pool, now func() time.Time) *Tokens {
	if now == nil {
		now = time.Now
	}
	return &Tokens{pool: pool, now: now}
}

// Get returns a token, "" when there is none or it has run out.
func (t *Tokens) Get(ctx context.Context, key string) (string, error) {
	var value string
	err := t.pool.QueryRow(ctx, `SELECT value FROM token WHERE key = $1 AND expires_at > $2`, key, t.now()).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	return value, nil
}

// Put keeps a token for ttl.
func (t *Tokens) Put(ctx context.Context, key, value string, ttl time.Duration) error {
	_, err := t.pool.Exec(ctx, `INSERT INTO token (key, value, expires_at) VALUES ($1, $2, $3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`, key, value, t.now().Add(ttl))
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	return nil
}

// DeleteIf drops a token unless another replica has already replaced it.
func (t *Tokens) DeleteIf(ctx context.Context, key, value string) error {
	if _, err := t.pool.Exec(ctx, `DELETE FROM token WHERE key = $1 AND value = $2`, key, value); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	return nil
}
