-- How the columns of a table's source last differed from those that were published. One row a table.
CREATE TABLE schema_drifts (
    name VARCHAR PRIMARY KEY,
    seen_at TIMESTAMP NOT NULL,
    outcome VARCHAR NOT NULL,
    changes VARCHAR NOT NULL
);
