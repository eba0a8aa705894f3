-- +goose Up
-- What a bureau adds to the words that nongxun knows.
CREATE TABLE glossary_product (
    name       text PRIMARY KEY,
    category   text NOT NULL,
    unit       text NOT NULL DEFAULT '',
    months     text NOT NULL DEFAULT '',
    aliases    text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE glossary_region (
    code       text PRIMARY KEY CHECK (code ~ '^[0-9]{6,12}$'),
    name       text NOT NULL,
    parent     text NOT NULL DEFAULT '',
    former     text[] NOT NULL DEFAULT '{}',
    valid_from text NOT NULL DEFAULT '',
    valid_to   text NOT NULL DEFAULT ''
);

-- One row; its number grows with every change, so that replicas see that there is something new.
CREATE TABLE glossary_version (
    one     boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL
);

INSERT INTO glossary_version (version) VALUES (0);
