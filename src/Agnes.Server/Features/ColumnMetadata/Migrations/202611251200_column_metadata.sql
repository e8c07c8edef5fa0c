-- What people or their agents know of a column beyond its name. `table_id` is the registry's id.
CREATE TABLE column_metadata (
    table_id VARCHAR NOT NULL,
    column_name VARCHAR NOT NULL,
    basetype VARCHAR,
    description VARCHAR,
    confidence VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_id, column_name)
);
