-- What became of tables, for each listener that has not heard of it yet: at most one row for a listener and a table.
CREATE TABLE publication_events (
    listener VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    what VARCHAR NOT NULL,
    number BIGINT,
    happened_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL,
    due_at TIMESTAMP NOT NULL,
    PRIMARY KEY (listener, table_name)
);
