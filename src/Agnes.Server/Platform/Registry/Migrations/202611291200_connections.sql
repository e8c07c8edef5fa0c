-- Named instances of kinds of sources. The default one of each kind has no row.
CREATE TABLE source_connections (
    name VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    settings VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR
);

-- Through which a table is pulled; NULL: the default one of its kind.
ALTER TABLE table_registry ADD COLUMN connection VARCHAR;

-- What a run must find again after it was killed; gone when the table is done.
CREATE TABLE source_checkpoints (
    source VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    value VARCHAR NOT NULL,
    saved_at TIMESTAMP NOT NULL,
    PRIMARY KEY (source, table_name)
);
