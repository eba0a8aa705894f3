-- +goose Up
-- What is repeated under one reference goes together: the platform takes a list by its reference, whoever is on it.
CREATE INDEX delivery_again ON delivery (again) WHERE again <> '';
