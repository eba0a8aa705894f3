-- +goose Up
-- Draining at the speed of the provider. A delivery is written three times after it was put: claimed, closed, and told of by its
-- receipt. With half of each page free all three versions stay on it, and the last two touch no index (HOT). The table becomes no larger by it:
-- what was moved to other pages took more.
ALTER TABLE delivery SET (fillfactor = 50);
ALTER TABLE attempt SET (fillfactor = 60);
-- Nobody asks for an attempt by a number of its own.
ALTER TABLE attempt DROP COLUMN id;

-- How many pushes people were sent in a week (its Monday, Asia/Shanghai), of whatever sender: a row for each 64 people whose ids follow
-- one another, a byte for each (255 is 255 or more). A push to everybody writes 64 times fewer rows than with a row for each person. It
-- replaces push_week, which stays for the previous version.
CREATE TABLE push_block (
    week   date NOT NULL,
    block  bigint NOT NULL, -- contact_id / 64
    pushes bytea NOT NULL CHECK (length(pushes) = 64),
    PRIMARY KEY (block, week)
) WITH (fillfactor = 50);

INSERT INTO push_block (week, block, pushes)
SELECT b.week, b.block, (
    SELECT string_agg(set_byte('\x00', 0, least(coalesce(p.pushes, 0), 255)), '' ORDER BY i)
    FROM generate_series(0, 63) i LEFT JOIN push_week p ON p.contact_id = b.block * 64 + i AND p.week = b.week)
FROM (SELECT DISTINCT week, contact_id / 64 AS block FROM push_week) b;
