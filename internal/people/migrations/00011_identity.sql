-- +goose Up
-- One person, many addresses. A contact that came by phone and belongs to a person who also has WeChat is merged into that one: its
-- address moves, its row stays, reachable by nothing, and knows where it went, so that the binding can be undone.
ALTER TABLE contact ADD COLUMN merged_into bigint REFERENCES contact (id);
CREATE INDEX contact_merged ON contact (merged_into) WHERE merged_into IS NOT NULL;

-- Every binding, also those that are over. from_id: the contact that the phone had. filled: what of the person's profile came from
-- it. phone_before, from_phone: the numbers that the person and the phone's contact had given as theirs. kept: what came with the phone stayed when it was unbound.
CREATE TABLE binding (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id   bigint NOT NULL REFERENCES contact (id),
    from_id      bigint NOT NULL REFERENCES contact (id),
    phone        text NOT NULL,
    way          text NOT NULL CHECK (way IN ('text', 'type')),
    bound_at     timestamptz NOT NULL,
    filled       text[] NOT NULL,
    phone_before text NOT NULL,
    from_phone   text NOT NULL,
    unbound_at   timestamptz,
    kept         boolean
);
CREATE UNIQUE INDEX binding_phone ON binding (phone) WHERE unbound_at IS NULL;
CREATE INDEX binding_contact ON binding (contact_id);

-- A code that joins a phone with WeChat. way 'text': told in WeChat to contact_id, to be texted from the phone. way 'type': told by
-- text to contact_id, who has the phone, to be typed in WeChat by who names the phone. tries: wrong ones so far.
CREATE TABLE bind_code (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id bigint NOT NULL REFERENCES contact (id),
    phone      text NOT NULL,
    way        text NOT NULL CHECK (way IN ('text', 'type')),
    code       text NOT NULL CHECK (code ~ '^[0-9]{6}$'),
    told_at    timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    used_at    timestamptz
);
CREATE INDEX bind_code_phone ON bind_code (phone, way);
CREATE INDEX bind_code_contact ON bind_code (contact_id, told_at);

-- Wrong codes, by who tried them.
CREATE TABLE bind_wrong (
    contact_id bigint NOT NULL REFERENCES contact (id),
    at         timestamptz NOT NULL
);
CREATE INDEX bind_wrong_contact ON bind_wrong (contact_id, at);

-- merged_from: came with a phone that was bound. shared_with: a phone that was bound had it as well.
ALTER TABLE subscription
    ADD COLUMN merged_from bigint REFERENCES contact (id),
    ADD COLUMN shared_with bigint REFERENCES contact (id);
