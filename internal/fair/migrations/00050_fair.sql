-- +goose Up
-- An online trading fair (网上购销对接会). Days are those of Asia/Shanghai, both ends inclusive. county_target is how many
-- merchants each pilot county is to bring, 0 where there is no target.
CREATE TABLE fair (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code          text NOT NULL UNIQUE CHECK (code <> ''),
    name          text NOT NULL,
    season        text NOT NULL,
    signup_from   date NOT NULL,
    signup_to     date NOT NULL CHECK (signup_to >= signup_from),
    from_day      date,
    to_day        date,
    county_target integer NOT NULL DEFAULT 0 CHECK (county_target >= 0),
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL
);

-- A merchant's sign-up: one for a fair and contact; a cancelled one revives when the contact signs up again.
CREATE TABLE signup (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fair_id       bigint NOT NULL REFERENCES fair (id),
    contact_id    bigint NOT NULL REFERENCES contact (id),
    merchant_type text NOT NULL,
    name          text NOT NULL,
    products      text[] NOT NULL,
    county        text NOT NULL,
    phone         text NOT NULL,
    channel       text NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    cancelled_at  timestamptz,
    UNIQUE (fair_id, contact_id)
) WITH (fillfactor = 90);
