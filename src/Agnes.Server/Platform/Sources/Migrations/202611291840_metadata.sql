-- What a source says of the tables that stay there: asked for by a job, so that no request waits for it. One row a registered table.
-- "source" says what was asked, so that nothing is shown of a table that was there before a change.
CREATE TABLE bq_metadata_cache (
    table_id VARCHAR NOT NULL PRIMARY KEY,
    source VARCHAR NOT NULL,
    rows BIGINT,
    size_bytes BIGINT,
    partition_by VARCHAR,
    clustered_by VARCHAR,
    entity_type VARCHAR,
    known_columns VARCHAR,
    columns VARCHAR,
    refreshed_at TIMESTAMP,
    error_at TIMESTAMP,
    error_msg VARCHAR
);
