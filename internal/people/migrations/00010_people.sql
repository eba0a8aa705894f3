-- +goose Up
-- One row a person. opted_out_at: stops all pushes on all channels. needs_person_at: waits for an answer by the bureau's staff.
CREATE TABLE contact (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at      timestamptz NOT NULL,
    name            text NOT NULL DEFAULT '',
    merchant_type   text NOT NULL DEFAULT '',
    county          text NOT NULL DEFAULT '' CHECK (county = '' OR county ~ '^[0-9]{6}$'),
    phone           text NOT NULL DEFAULT '',
    products        text[] NOT NULL DEFAULT '{}',
    opted_out_at    timestamptz,
    needs_person_at timestamptz,
    needs_person    text NOT NULL DEFAULT ''
) WITH (fillfactor = 90);

CREATE INDEX contact_needs_person ON contact (needs_person_at) WHERE needs_person_at IS NOT NULL;

-- Where a person is reached: an openid (WeChat) or a phone (SMS).
CREATE TABLE address (
    kind         text NOT NULL CHECK (kind IN ('openid', 'phone')),
    value        text NOT NULL,
    contact_id   bigint NOT NULL REFERENCES contact (id),
    followed     boolean NOT NULL DEFAULT true,
    scene        text NOT NULL DEFAULT '',
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (kind, value)
);

CREATE INDEX address_contact ON address (contact_id);

-- What a person wants to hear about. product '' is everything, region '' is anywhere.
CREATE TABLE subscription (
    contact_id bigint NOT NULL REFERENCES contact (id),
    topic      text NOT NULL CHECK (topic IN ('price', 'demand')),
    product    text NOT NULL DEFAULT '',
    region     text NOT NULL DEFAULT '' CHECK (region ~ '^[0-9]{0,6}$'),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (contact_id, topic, product, region)
);

CREATE INDEX subscription_topic ON subscription (topic, product);

-- Every opt-out and return, kept as proof (MIIT order 31: at least five months).
CREATE TABLE consent_log (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL REFERENCES contact (id),
    at         timestamptz NOT NULL,
    what       text NOT NULL CHECK (what IN ('opt_out', 'opt_in', 'subscribe', 'unsubscribe', 'follow', 'unfollow')),
    topic      text NOT NULL DEFAULT '',
    product    text NOT NULL DEFAULT '',
    region     text NOT NULL DEFAULT '',
    channel    text NOT NULL DEFAULT ''
);

CREATE INDEX consent_log_contact ON consent_log (contact_id, id);

-- Who looked at what is otherwise masked.
CREATE TABLE audit_log (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL,
    what    text NOT NULL,
    subject text NOT NULL
);
