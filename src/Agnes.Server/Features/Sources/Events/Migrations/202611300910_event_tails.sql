-- What sources sent by themselves and is not in a version of their tables yet: a row for each such source.
CREATE TABLE event_tails (
    source VARCHAR PRIMARY KEY,
    number BIGINT NOT NULL,
    position BIGINT NOT NULL,
    key_column VARCHAR NOT NULL,
    runs VARCHAR NOT NULL,
    folded_at TIMESTAMP,
    updated_at TIMESTAMP NOT NULL
);
