-- Schema version 35, as documented: strategies in the registry, onboarded users, the store.
CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP DEFAULT current_timestamp);
INSERT INTO schema_version VALUES (35, '2026-01-01 00:00:00');
CREATE TABLE users (id VARCHAR PRIMARY KEY, email VARCHAR UNIQUE NOT NULL, name VARCHAR, password_hash VARCHAR, setup_token VARCHAR, setup_token_created TIMESTAMP, reset_token VARCHAR, reset_token_created TIMESTAMP, active BOOLEAN NOT NULL DEFAULT TRUE, deactivated_at TIMESTAMP, deactivated_by VARCHAR, created_at TIMESTAMP DEFAULT current_timestamp, updated_at TIMESTAMP, onboarded BOOLEAN NOT NULL DEFAULT FALSE);
INSERT INTO users (id, email, name, password_hash, active, created_at) VALUES
    ('u-root', 'root@example.com', 'Root', '$argon2id$v=19$m=1048576,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$qMPcXkO0XyGy5w0C8uXl8oU5n7H5uYt2mFjT1v3m1xk', true, '2025-01-01 00:00:00'), ('u-ana', 'ana@example.com', 'Ana', '$argon2id$v=19$m=1048576,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$qMPcXkO0XyGy5w0C8uXl8oU5n7H5uYt2mFjT1v3m1xk', true, '2025-01-02 00:00:00'),
    ('u-ben', 'ben@example.com', 'Ben', NULL, true, '2025-01-03 00:00:00'), ('u-lee', 'lee@example.com', 'Lee', NULL, false, '2025-01-04 00:00:00');
UPDATE users SET onboarded = true WHERE id = 'u-ana';
CREATE TABLE user_groups (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL UNIQUE, description TEXT, is_system BOOLEAN DEFAULT FALSE, created_at TIMESTAMP DEFAULT current_timestamp, created_by VARCHAR);
INSERT INTO user_groups VALUES ('g-admin', 'Admin', NULL, true, '2025-01-01 00:00:00', 'system:seed'), ('g-every', 'Everyone', NULL, true, '2025-01-01 00:00:00', 'system:seed'), ('g-fin', 'Finance', 'Money', false, '2025-01-01 00:00:00', 'root@example.com'), ('g-dir', 'data@example.com', NULL, false, '2025-01-01 00:00:00', 'system:google-sync');
CREATE TABLE user_group_members (user_id VARCHAR NOT NULL, group_id VARCHAR NOT NULL REFERENCES user_groups(id), source VARCHAR NOT NULL, added_at TIMESTAMP DEFAULT current_timestamp, added_by VARCHAR, PRIMARY KEY (user_id, group_id));
INSERT INTO user_group_members VALUES ('u-root', 'g-admin', 'system_seed', '2025-01-01 00:00:00', 'app.main:seed_admin'), ('u-ana', 'g-fin', 'admin', '2025-01-01 00:00:00', 'root@example.com'), ('u-lee', 'g-fin', 'admin', '2025-01-01 00:00:00', 'root@example.com'), ('u-ana', 'g-dir', 'google_sync', '2025-01-01 00:00:00', 'system:google-sync');
CREATE TABLE resource_grants (id VARCHAR PRIMARY KEY, group_id VARCHAR NOT NULL REFERENCES user_groups(id), resource_type VARCHAR NOT NULL, resource_id VARCHAR NOT NULL, assigned_at TIMESTAMP DEFAULT current_timestamp, assigned_by VARCHAR, UNIQUE (group_id, resource_type, resource_id));
INSERT INTO resource_grants VALUES ('gr1', 'g-fin', 'table', 'orders', '2025-01-01 00:00:00', 'root@example.com'), ('gr2', 'g-fin', 'table', 'later', '2025-01-01 00:00:00', 'root@example.com'), ('gr3', 'g-dir', 'marketplace_plugin', 'tools/sql', '2025-01-01 00:00:00', 'root@example.com'), ('gr4', 'g-every', 'table', 'calendar', '2025-01-01 00:00:00', 'root@example.com');
CREATE TABLE personal_access_tokens (id VARCHAR PRIMARY KEY, user_id VARCHAR NOT NULL, name VARCHAR NOT NULL, token_hash VARCHAR NOT NULL, prefix VARCHAR NOT NULL, scopes VARCHAR, created_at TIMESTAMP NOT NULL DEFAULT current_timestamp, expires_at TIMESTAMP, last_used_at TIMESTAMP, last_used_ip VARCHAR, revoked_at TIMESTAMP);
INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at) VALUES ('0f8c2f6e-1111-4222-8333-444455556666', 'u-ana', 'laptop', '742de68900837df8f0768e6ceeed0863d5b423741c08a4332e2a08b6d223ea15', '0f8c2f6e', '2026-01-01 00:00:00');
INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at, revoked_at) VALUES ('t-lost', 'u-ana', 'lost', 'aa', 't-lost', '2026-01-01 00:00:00', '2026-01-02 00:00:00');
INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at) VALUES ('t-orphan', 'u-gone', 'orphan', 'bb', 't-orphan', '2026-01-01 00:00:00');
CREATE TABLE table_registry (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, source_type VARCHAR, bucket VARCHAR, source_table VARCHAR, sync_strategy VARCHAR DEFAULT 'full_refresh', query_mode VARCHAR DEFAULT 'local', sync_schedule VARCHAR, profile_after_sync BOOLEAN DEFAULT true, primary_key VARCHAR, folder VARCHAR, description TEXT, registered_by VARCHAR, registered_at TIMESTAMP DEFAULT current_timestamp, source_query TEXT, incremental_window_days INTEGER, max_history_days INTEGER, incremental_column VARCHAR, where_filters VARCHAR, partition_by VARCHAR, partition_granularity VARCHAR, initial_load_chunk_days INTEGER);
INSERT INTO table_registry (id, name, source_type, bucket, source_table, source_query, query_mode, primary_key, incremental_window_days, where_filters, registered_at) VALUES
    ('orders', 'Orders', 'keboola', 'in.c-shop', 'orders', NULL, 'materialized', '["id"]', 7, '[{"column":"a","operator":"eq","values":["1"]}]', '2025-01-01 00:00:00'), ('calendar', 'calendar', 'keboola', 'in.c-base', 'calendar', NULL, 'materialized', NULL, NULL, NULL, '2025-01-01 00:00:00'),
    ('salaries', 'salaries', 'bigquery', 'hr', 'salaries', 'SELECT * FROM `acme.hr.salaries`', 'materialized', NULL, NULL, NULL, '2025-01-01 00:00:00');
CREATE TABLE sync_state (table_id VARCHAR PRIMARY KEY, last_sync TIMESTAMP, rows BIGINT, file_size_bytes BIGINT, uncompressed_size_bytes BIGINT, columns INTEGER, hash VARCHAR, status VARCHAR DEFAULT 'ok', error TEXT);
INSERT INTO sync_state (table_id, rows) VALUES ('orders', 10);
CREATE TABLE sync_history (id VARCHAR PRIMARY KEY, table_id VARCHAR NOT NULL, synced_at TIMESTAMP NOT NULL, rows BIGINT, duration_ms INTEGER, status VARCHAR, error TEXT);
CREATE TABLE user_sync_settings (user_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, enabled BOOLEAN DEFAULT false, table_mode VARCHAR DEFAULT 'all', tables JSON, updated_at TIMESTAMP, PRIMARY KEY (user_id, dataset));
INSERT INTO user_sync_settings (user_id, dataset, enabled) VALUES ('u-ana', 'orders', true);
CREATE TABLE knowledge_items (id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, content TEXT);
INSERT INTO knowledge_items VALUES ('k1', 'Revenue', 'is net'), ('k2', 'Churn', 'is monthly');
CREATE TABLE store_entities (id VARCHAR PRIMARY KEY, name VARCHAR, visibility_status VARCHAR DEFAULT 'pending', archived_at TIMESTAMP, archived_by VARCHAR);
INSERT INTO store_entities (id, name) VALUES ('e1', 'A skill');
CREATE TABLE instance_templates (key VARCHAR PRIMARY KEY, content TEXT);
INSERT INTO instance_templates VALUES ('welcome', NULL), ('claude_md', NULL), ('home', NULL);
CREATE TABLE metric_definitions (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, display_name VARCHAR NOT NULL, category VARCHAR NOT NULL, sql TEXT NOT NULL, dimensions VARCHAR[]);
INSERT INTO metric_definitions VALUES ('revenue/mrr', 'mrr', 'MRR', 'revenue', 'SELECT 1', ['plan']);
CREATE TABLE audit_log (id VARCHAR PRIMARY KEY, timestamp TIMESTAMP NOT NULL DEFAULT current_timestamp, user_id VARCHAR, action VARCHAR NOT NULL, resource VARCHAR, params JSON, result VARCHAR, duration_ms INTEGER);
INSERT INTO audit_log SELECT 'a-' || i, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL (i) MINUTE, 'u-root', 'user.update', 'user:u-ana', '{"name":"Ana"}', NULL, i FROM range(600) t(i);
