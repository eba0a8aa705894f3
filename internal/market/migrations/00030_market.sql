-- +goose Up
-- One row a lot: one product that a contact sells or wants. What the message did not give is NULL. Numbers are thousandths
-- (3.5 is 3500), so kg_* are grams and price*_ are 厘. lot_no counts the lots of a message, so that its effect is once.
-- quantity_approx, price_negotiable, origin_text and available_text are NULL where that part was not given at all;
-- quantity_by_weight and price_by_weight say that kg_* and price_per_kg_* speak (an end that is NULL is open).
-- region is the GB/T 2260 code that decides which bureau sees the row: the origin, else the contact's county, '' if unknown.
CREATE TABLE listing (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    contact_id         bigint NOT NULL REFERENCES contact (id),
    message_id         bigint NOT NULL,
    lot_no             smallint NOT NULL,
    kind               text NOT NULL CHECK (kind IN ('supply', 'demand')),
    status             text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'sold', 'withdrawn', 'expired')),
    glut               boolean NOT NULL,
    channel            text NOT NULL,
    phone              text NOT NULL,
    region             text NOT NULL,
    product            text NOT NULL,
    variety            text,
    quantity_min       bigint,
    quantity_max       bigint,
    quantity_unit      text,
    quantity_approx    boolean,
    quantity_by_weight boolean NOT NULL,
    kg_min             bigint,
    kg_max             bigint,
    price_min          bigint,
    price_max          bigint,
    price_unit         text,
    price_negotiable   boolean,
    price_by_weight    boolean NOT NULL,
    price_per_kg_min   bigint,
    price_per_kg_max   bigint,
    origin_text        text,
    origin_county      text,
    origin_code        text,
    origin_township    text,
    available_text     text,
    available_from     date,
    available_to       date,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    confirmed_at       timestamptz,
    closed_at          timestamptz,
    UNIQUE (message_id, lot_no)
) WITH (fillfactor = 90);

-- A contact's own open listings, by message.
CREATE INDEX listing_mine ON listing (contact_id, message_id) WHERE status = 'open';

-- The news of demands. Supplies, which are most of the rows, don't pay for it.
CREATE INDEX listing_demand ON listing (created_at) WHERE kind = 'demand';
