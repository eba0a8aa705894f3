-- +goose Up
-- A text whose answer was lost has no id of the provider's: its receipt is found by phone and time. submitted_at: when the provider took
-- the message by its own clock, to the minute.
ALTER TABLE receipt ADD COLUMN submitted_at timestamptz;

-- Texts that went, or may have gone, without an id. Nothing else is in it.
CREATE INDEX attempt_lost ON attempt (address, started_at)
    WHERE road = 'sms' AND provider_id = '' AND outcome IN ('no_answer', 'lease_ran_out', 'accepted');

-- What waited for a phone when it was bound: the contact that it waited for, and waits for again once the phone is unbound.
ALTER TABLE delivery ADD COLUMN merged_from bigint;
