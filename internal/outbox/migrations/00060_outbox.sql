-- +goose Up
-- What we have to tell people, and what became of it. The table is its own queue: queued rows that are due are claimed by lease.
-- class: 0 reply, 1 notice, 2 promotion; lower goes first. channel: what the putter asked for, '' is the ladder.
-- rung: where on the ladder it stands (0 customer-service message, 1 template message, 2 SMS). tries: attempts so far; with
-- lease_by it fences the finish of a claim.
CREATE TABLE delivery (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    created_at  timestamptz NOT NULL,
    cause       text NOT NULL,
    contact_id  bigint NOT NULL REFERENCES contact (id),
    class       smallint NOT NULL CHECK (class BETWEEN 0 AND 2),
    channel     text NOT NULL CHECK (channel IN ('', 'wechat', 'sms')),
    text        text NOT NULL,
    template    text NOT NULL DEFAULT '',
    fields      jsonb NOT NULL DEFAULT '{}',
    broadcast   text NOT NULL DEFAULT '',
    due_at      timestamptz NOT NULL,
    expires_at  timestamptz,
    state       text NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'skipped')),
    reason      text NOT NULL DEFAULT '',
    rung        smallint NOT NULL CHECK (rung BETWEEN 0 AND 2),
    tries       integer NOT NULL DEFAULT 0,
    lease_by    text NOT NULL DEFAULT '',
    lease_until timestamptz,
    sent_at     timestamptz,
    UNIQUE (cause, contact_id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.02);

CREATE INDEX delivery_due_wechat ON delivery (class, due_at, id) WHERE state = 'queued' AND rung < 2;
CREATE INDEX delivery_due_sms ON delivery (class, due_at, id) WHERE state = 'queued' AND rung = 2;
CREATE INDEX delivery_lease ON delivery (lease_until) WHERE state = 'sending';
CREATE INDEX delivery_unknown ON delivery (id) WHERE state = 'unknown';
CREATE INDEX delivery_contact ON delivery (contact_id, id);

-- One call to a provider for one delivery, written before the call. ref is our own reference (OutId, client_msg_id); call groups
-- those that went to the provider together; credit is the kind of credit that it used. outcome and closed_at come with the answer. asked_at: when the provider was last asked what became of it.
CREATE TABLE attempt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id bigint NOT NULL REFERENCES delivery (id),
    try         integer NOT NULL,
    road        text NOT NULL CHECK (road IN ('message', 'template', 'sms')),
    address     text NOT NULL,
    ref         text NOT NULL UNIQUE,
    call        text NOT NULL,
    credit      text NOT NULL DEFAULT '',
    provider    text NOT NULL DEFAULT '',
    provider_id text NOT NULL DEFAULT '',
    outcome     text NOT NULL DEFAULT '',
    code        text NOT NULL DEFAULT '',
    started_at  timestamptz NOT NULL,
    closed_at   timestamptz,
    receipt_at  timestamptz,
    asked_at    timestamptz,
    parts       integer NOT NULL DEFAULT 0,
    UNIQUE (delivery_id, try)
);

CREATE INDEX attempt_provider ON attempt (provider_id, address) WHERE provider_id <> '';
CREATE INDEX attempt_call ON attempt (call, address);

-- What providers said later of what we sent. A receipt may come before the answer to the call, twice, out of order or never: it is
-- stored first, and settled once its attempt is closed.
CREATE TABLE receipt (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL,
    provider    text NOT NULL,
    provider_id text NOT NULL,
    address     text NOT NULL,
    ref         text NOT NULL,
    shared      boolean NOT NULL,
    ok          boolean NOT NULL,
    code        text NOT NULL,
    at          timestamptz NOT NULL,
    parts       integer NOT NULL,
    settled_at  timestamptz,
    UNIQUE (provider, provider_id, address, ref, ok, code)
);

CREATE INDEX receipt_open ON receipt (id) WHERE settled_at IS NULL;

-- How many customer-service messages the platform still lets us send to a follower, and until when.
CREATE TABLE credit (
    openid     text NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('message', 'click', 'scan', 'follow')),
    remaining  integer NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (openid, kind)
) WITH (fillfactor = 85);

-- A channel ('wechat', 'sms') or one template of it that the provider has stopped: nothing is claimed for it until then.
CREATE TABLE channel_stop (
    channel  text NOT NULL,
    template text NOT NULL DEFAULT '',
    code     text NOT NULL,
    since    timestamptz NOT NULL,
    until    timestamptz NOT NULL,
    PRIMARY KEY (channel, template)
);
