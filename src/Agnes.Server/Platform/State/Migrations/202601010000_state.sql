-- Who there is and what they may see.
CREATE TABLE users (
    id VARCHAR PRIMARY KEY,
    email VARCHAR NOT NULL UNIQUE,
    name VARCHAR,
    password_hash VARCHAR,
    setup_token VARCHAR,
    setup_token_created TIMESTAMP,
    reset_token VARCHAR,
    reset_token_created TIMESTAMP,
    active BOOLEAN NOT NULL DEFAULT TRUE,
    deactivated_at TIMESTAMP,
    deactivated_by VARCHAR,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP,
    onboarded BOOLEAN NOT NULL DEFAULT FALSE,
    sessions_valid_after TIMESTAMP
);

CREATE TABLE personal_access_tokens (
    id VARCHAR PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    token_hash VARCHAR NOT NULL,
    prefix VARCHAR NOT NULL,
    scopes VARCHAR,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP,
    last_used_at TIMESTAMP,
    last_used_ip VARCHAR,
    revoked_at TIMESTAMP
);

CREATE TABLE user_groups (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL UNIQUE,
    description VARCHAR,
    is_system BOOLEAN NOT NULL DEFAULT FALSE,
    created_at TIMESTAMP NOT NULL,
    created_by VARCHAR
);

-- One row for each source that says so: what one takes away, another may still grant.
CREATE TABLE user_group_members (
    user_id VARCHAR NOT NULL,
    group_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    added_at TIMESTAMP NOT NULL,
    added_by VARCHAR,
    PRIMARY KEY (user_id, group_id, source)
);

CREATE TABLE resource_grants (
    id VARCHAR PRIMARY KEY,
    group_id VARCHAR NOT NULL,
    resource_type VARCHAR NOT NULL,
    resource_id VARCHAR NOT NULL,
    assigned_at TIMESTAMP NOT NULL,
    assigned_by VARCHAR,
    UNIQUE (group_id, resource_type, resource_id)
);

-- What exists, and what is published of it.
CREATE TABLE table_registry (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    source_type VARCHAR,
    bucket VARCHAR,
    source_table VARCHAR,
    source_query VARCHAR,
    sync_strategy VARCHAR DEFAULT 'full_refresh',
    query_mode VARCHAR DEFAULT 'local',
    sync_schedule VARCHAR,
    profile_after_sync BOOLEAN NOT NULL DEFAULT TRUE,
    primary_key VARCHAR,
    folder VARCHAR,
    description VARCHAR,
    registered_by VARCHAR,
    registered_at TIMESTAMP NOT NULL,
    incremental_window_days INTEGER,
    max_history_days INTEGER,
    initial_load_chunk_days INTEGER,
    incremental_column VARCHAR,
    partition_by VARCHAR,
    partition_granularity VARCHAR,
    where_filters VARCHAR
);

CREATE TABLE sync_state (
    table_id VARCHAR PRIMARY KEY,
    last_sync TIMESTAMP,
    rows BIGINT,
    file_size_bytes BIGINT,
    uncompressed_size_bytes BIGINT,
    columns INTEGER,
    hash VARCHAR,
    status VARCHAR NOT NULL DEFAULT 'ok',
    error VARCHAR
);

-- Appended to only, so without a key: half the size on DuckDB, and fast to prune.
CREATE TABLE sync_history (
    id VARCHAR NOT NULL,
    table_id VARCHAR NOT NULL,
    synced_at TIMESTAMP NOT NULL,
    rows BIGINT,
    duration_ms INTEGER,
    status VARCHAR,
    error VARCHAR
);

CREATE TABLE view_ownership (
    view_name VARCHAR PRIMARY KEY,
    source_name VARCHAR NOT NULL,
    registered_at TIMESTAMP NOT NULL
);

-- The current version of a rendition is the one that nothing superseded. `columns` is a JSON array.
CREATE TABLE table_versions (
    name VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    source VARCHAR NOT NULL,
    description VARCHAR,
    columns VARCHAR NOT NULL,
    rows BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    rendition VARCHAR NOT NULL DEFAULT '',
    md5 VARCHAR,
    parts_digest VARCHAR NOT NULL,
    origin VARCHAR,
    query_mode VARCHAR NOT NULL,
    extracted_at TIMESTAMP NOT NULL,
    published_at TIMESTAMP NOT NULL,
    superseded_at TIMESTAMP,
    PRIMARY KEY (name, number)
);

CREATE TABLE version_parts (
    name VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    part_name VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    modified_ns BIGINT NOT NULL,
    inode BIGINT NOT NULL,
    PRIMARY KEY (name, number, ordinal)
);

-- What runs, and what happened.
CREATE TABLE jobs (
    id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,
    subject VARCHAR,
    key VARCHAR,
    status VARCHAR NOT NULL,
    trigger VARCHAR NOT NULL,
    requested_by VARCHAR,
    created_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    heartbeat_at TIMESTAMP,
    owner VARCHAR,
    progress VARCHAR,
    checkpoint VARCHAR,
    error VARCHAR,
    result VARCHAR
);

CREATE TABLE job_log (
    job_id VARCHAR NOT NULL,
    seq BIGINT NOT NULL,
    ts TIMESTAMP NOT NULL,
    line VARCHAR NOT NULL
);

CREATE TABLE audit_log (
    id VARCHAR NOT NULL,
    timestamp TIMESTAMP NOT NULL,
    user_id VARCHAR,
    action VARCHAR NOT NULL,
    resource VARCHAR,
    params VARCHAR,
    result VARCHAR,
    duration_ms INTEGER
);

-- DuckDB has none of these: a created index loses rows there when the process is killed.
-- pg: ALTER TABLE user_group_members ADD FOREIGN KEY (group_id) REFERENCES user_groups (id);
-- pg: ALTER TABLE resource_grants ADD FOREIGN KEY (group_id) REFERENCES user_groups (id);
-- pg: ALTER TABLE version_parts ADD FOREIGN KEY (name, number) REFERENCES table_versions (name, number);
-- pg: CREATE INDEX personal_access_tokens_user ON personal_access_tokens (user_id);
-- pg: CREATE UNIQUE INDEX table_registry_name ON table_registry (lower(name));
-- pg: CREATE UNIQUE INDEX table_versions_current ON table_versions (lower(name), rendition) WHERE superseded_at IS NULL;
-- pg: CREATE INDEX version_parts_sha256 ON version_parts (sha256);
-- pg: CREATE INDEX sync_history_table ON sync_history (table_id, synced_at DESC);
-- pg: CREATE INDEX jobs_status ON jobs (status, created_at);
-- pg: CREATE INDEX jobs_kind ON jobs (kind, subject, created_at DESC);
-- pg: CREATE UNIQUE INDEX jobs_single_flight ON jobs (key) WHERE finished_at IS NULL;
-- pg: CREATE INDEX job_log_job ON job_log (job_id, seq);
-- pg: CREATE INDEX audit_log_newest ON audit_log (timestamp DESC, id DESC);
-- pg: CREATE INDEX audit_log_user ON audit_log (user_id, timestamp DESC, id DESC);
-- pg: CREATE INDEX audit_log_action ON audit_log (action, timestamp DESC, id DESC);
-- pg: CREATE INDEX audit_log_resource ON audit_log (resource, timestamp DESC, id DESC);
