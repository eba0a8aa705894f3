-- +goose Up
-- Access tokens of platforms, shared by all replicas. Losing them costs a call, so they are not logged to disk.
CREATE UNLOGGED TABLE token (
    key        text PRIMARY KEY,
    value      text NOT NULL,
    expires_at timestamptz NOT NULL
);
