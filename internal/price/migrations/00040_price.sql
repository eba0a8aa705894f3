-- +goose Up
-- One row a day, market, product and variety, as published. Numbers are thousandths of a yuan for the unit (元/公斤, 元/斤 …);
-- avg_per_kg is NULL where the unit is not of weight. product is the lexicon's name where it knows one, variety what was narrower,
-- else ''. region is the market's GB/T 2260 code, '' if unknown. bulletin is the day whose bulletin told it, NULL until then.
CREATE TABLE quote (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day        date NOT NULL,
    market     text NOT NULL CHECK (market <> ''),
    product    text NOT NULL CHECK (product <> ''),
    variety    text NOT NULL DEFAULT '',
    region     text NOT NULL DEFAULT '',
    avg        bigint NOT NULL CHECK (avg > 0),
    low        bigint,
    high       bigint,
    unit       text NOT NULL,
    avg_per_kg bigint,
    source     text NOT NULL DEFAULT '',
    bulletin   date,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (product, day, market, variety)
);

CREATE INDEX quote_variety ON quote (variety, day) WHERE variety <> '';

CREATE INDEX quote_bulletin ON quote (bulletin, day);
