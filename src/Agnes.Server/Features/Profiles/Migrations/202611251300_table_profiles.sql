-- What a table's published version looks like, as JSON: made from its rows, so it goes with the table and is made again for another version.
CREATE TABLE table_profiles (
    table_id VARCHAR NOT NULL PRIMARY KEY,
    parts_digest VARCHAR NOT NULL,
    profile VARCHAR NOT NULL,
    profiled_at TIMESTAMP NOT NULL
);
