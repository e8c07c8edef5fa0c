-- What people chose to sync, as older clients store it. It decides nothing.
CREATE TABLE user_sync_settings (
    user_id VARCHAR NOT NULL,
    dataset VARCHAR NOT NULL,
    enabled BOOLEAN NOT NULL DEFAULT FALSE,
    table_mode VARCHAR NOT NULL DEFAULT 'all',
    tables VARCHAR,
    updated_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, dataset)
);
