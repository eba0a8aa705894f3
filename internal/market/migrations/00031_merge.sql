-- +goose Up
-- The contact that a listing belonged to before its phone was bound to WeChat; NULL for all others.
ALTER TABLE listing ADD COLUMN merged_from bigint REFERENCES contact (id);
