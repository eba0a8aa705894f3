-- +goose Up
-- Parts of long texts, as they came: a carrier gets its answer to a part only after it is here. Those of one provider, phone, dest_code,
-- ref and total are joined, whichever connection or replica they came by; joined_at: the message that they make is stored. A joined
-- part stays for some days, so that a repeat of it is known.
CREATE TABLE text_part (
    key         text PRIMARY KEY,
    provider    text NOT NULL,
    phone       text NOT NULL,
    dest_code   text NOT NULL,
    ref         integer NOT NULL,
    total       smallint NOT NULL,
    seq         smallint NOT NULL,
    coding      smallint NOT NULL,
    data        bytea NOT NULL,
    sent_at     timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    joined_at   timestamptz
);

CREATE INDEX text_part_open ON text_part (phone, ref, received_at) WHERE joined_at IS NULL;
CREATE INDEX text_part_joined ON text_part (joined_at) WHERE joined_at IS NOT NULL;

-- How many parts of a long text never came: what is stored has gaps.
ALTER TABLE message ADD COLUMN missing smallint NOT NULL DEFAULT 0;
