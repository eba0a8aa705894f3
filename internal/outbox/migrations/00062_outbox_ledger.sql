-- +goose Up
-- The way out at a million a push. What is written for each delivery is kept small: an update that changes nothing which is indexed
-- costs no index (HOT), so no index may speak of the state itself.
--
-- queue: the waiting line, if any, that a delivery stands in: 0 WeChat one by one, 1 SMS, 2 its outcome is unknown and to be found
-- out, 3 WeChat mass send. In line 2 due_at is when to look again. rung gets two more values: 3 subscription notice, 4 mass send.
-- again: the reference of the attempt that is repeated because nobody could tell what became of it; '' where none was.
ALTER TABLE delivery
    ADD COLUMN queue smallint GENERATED ALWAYS AS (CASE
        WHEN state = 'queued' AND rung = 2 THEN 1
        WHEN state = 'queued' AND rung = 4 THEN 3
        WHEN state = 'queued' THEN 0
        WHEN state = 'unknown' AND reason IN ('no_answer', 'lease_ran_out') THEN 2 END) STORED,
    ADD COLUMN again text NOT NULL DEFAULT '',
    DROP CONSTRAINT delivery_rung_check,
    ADD CONSTRAINT delivery_rung_check CHECK (rung BETWEEN 0 AND 4),
    -- A foreign key to contact would lock and dirty a contact for each delivery: twice the price of a freeze. Contacts with an address are never deleted.
    DROP CONSTRAINT delivery_contact_id_fkey;

CREATE INDEX delivery_queue ON delivery (queue, class, due_at, id) WHERE queue IS NOT NULL;
-- What waits for one person, for a digest. Replies and broadcasts don't pay for it.
CREATE INDEX delivery_waiting ON delivery (contact_id) WHERE queue < 2 AND class = 1;
-- One index for "once a cause and person" and for "what went to this person".
CREATE UNIQUE INDEX delivery_once ON delivery (contact_id, cause);
ALTER TABLE delivery DROP CONSTRAINT delivery_cause_contact_id_key;
CREATE INDEX delivery_created ON delivery USING brin (created_at);
CREATE INDEX delivery_leased ON delivery (lease_until) WHERE lease_until IS NOT NULL;
DROP INDEX delivery_due_wechat, delivery_due_sms, delivery_lease, delivery_unknown, delivery_contact;

-- One call to a provider, named by the delivery and the try that lead it, written before it is made and closed after it. The
-- attempts of its deliveries have its outcome where they have none of their own. deliveries are all that go in it.
CREATE TABLE call (
    lead        bigint NOT NULL,
    lead_try    integer NOT NULL,
    road        text NOT NULL,
    template    text NOT NULL DEFAULT '',
    ref         text NOT NULL,
    provider    text NOT NULL DEFAULT '',
    provider_id text NOT NULL DEFAULT '',
    deliveries  bigint[] NOT NULL,
    started_at  timestamptz NOT NULL,
    lease_until timestamptz NOT NULL,
    closed_at   timestamptz,
    outcome     text NOT NULL DEFAULT '',
    code        text NOT NULL DEFAULT '',
    PRIMARY KEY (lead, lead_try)
);

CREATE INDEX call_open ON call (lease_until) WHERE closed_at IS NULL;
CREATE INDEX call_provider ON call (provider_id) WHERE provider_id <> '';
CREATE INDEX call_started ON call USING brin (started_at);

-- An attempt is written once and, where its own outcome differs from that of its call, changed once. Its reference is made of
-- those of the previous version, and of parts of a mass send, stand in ref.
ALTER TABLE attempt
    ADD COLUMN lead bigint,
    ADD COLUMN lead_try integer,
    ALTER COLUMN ref SET DEFAULT '',
    ALTER COLUMN call SET DEFAULT '',
    DROP CONSTRAINT attempt_road_check,
    ADD CONSTRAINT attempt_road_check CHECK (road IN ('message', 'notice', 'template', 'mass', 'sms')),
    DROP CONSTRAINT attempt_ref_key,
    DROP CONSTRAINT attempt_delivery_id_fkey,
    DROP CONSTRAINT attempt_delivery_id_try_key,
    DROP CONSTRAINT attempt_pkey,
    ADD PRIMARY KEY (delivery_id, try);
DROP INDEX attempt_call;
CREATE INDEX attempt_ref ON attempt (ref) WHERE ref <> '';
CREATE INDEX attempt_call ON attempt (call, address) WHERE call <> '';

-- A receipt that fits nothing yet is looked at again, more and more rarely.
ALTER TABLE receipt
    ADD COLUMN delivery_id bigint,
    ADD COLUMN try integer,
    ADD COLUMN due_at timestamptz NOT NULL DEFAULT '1970-01-01Z';
CREATE INDEX receipt_due ON receipt (due_at, id) WHERE settled_at IS NULL;
DROP INDEX receipt_open;

-- A push of one text to many people. Its deliveries hold neither text nor fields, only its key in "broadcast". frozen_to is the last
-- contact that the audience has been frozen up to, so that a freeze goes on where it was cut off.
CREATE TABLE broadcast (
    key        text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    class      smallint NOT NULL CHECK (class BETWEEN 0 AND 2),
    channel    text NOT NULL CHECK (channel IN ('', 'wechat', 'sms')),
    mass       boolean NOT NULL,
    text       text NOT NULL,
    template   text NOT NULL,
    fields     jsonb NOT NULL,
    due_at     timestamptz NOT NULL,
    expires_at timestamptz,
    frozen_to  bigint NOT NULL DEFAULT 0,
    people     bigint NOT NULL DEFAULT 0,
    frozen_at  timestamptz
);

-- kind 'mass': of the four mass sends that a person gets in a calendar month; no row means that all four are left.
ALTER TABLE credit DROP CONSTRAINT credit_kind_check,
    ADD CONSTRAINT credit_kind_check CHECK (kind IN ('message', 'click', 'scan', 'follow', 'mass'));

-- How often a follower has agreed to a subscription notice (bizsend). always: a long-term template, which a send does not use up.
CREATE TABLE notice_consent (
    openid    text NOT NULL,
    template  text NOT NULL,
    remaining integer NOT NULL,
    always    boolean NOT NULL,
    at        timestamptz NOT NULL,
    PRIMARY KEY (openid, template)
) WITH (fillfactor = 85);

-- How many pushes a person was sent in a week (its Monday, Asia/Shanghai), of whatever sender.
CREATE TABLE push_week (
    contact_id bigint NOT NULL,
    week       date NOT NULL,
    pushes     integer NOT NULL,
    PRIMARY KEY (contact_id, week)
) WITH (fillfactor = 85);

-- Rates, shared by all replicas. taken_to is when, at the rate, the last token that was taken would have come (GCRA), in microseconds
-- since 1970: exact integers, one row a bucket. Losing it in a crash costs at most one burst.
CREATE UNLOGGED TABLE bucket (
    name     text PRIMARY KEY,
    taken_to bigint NOT NULL
);

-- What makes our references our own where several installations share an account.
CREATE TABLE outbox_mark (
    mark text NOT NULL
);
INSERT INTO outbox_mark SELECT substr(translate(encode(sha256(gen_random_uuid()::text::bytea), 'base64'), '+/=0123456789', ''), 1, 5);
