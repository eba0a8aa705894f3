-- +goose Up
-- merged_from: the contact that a sign-up belonged to before its phone was bound to WeChat. aside_at: since when a sign-up is set aside
-- because the same person had another to this fair; it counts as cancelled. before: what the other held, where the newer one's
-- words were taken over.
ALTER TABLE signup
    ADD COLUMN merged_from bigint REFERENCES contact (id),
    ADD COLUMN aside_at timestamptz,
    ADD COLUMN before jsonb;
