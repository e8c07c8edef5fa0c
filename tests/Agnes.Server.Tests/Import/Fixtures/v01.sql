-- Schema version 1, as documented: roles, permissions of single users, requests. No public tables, no buckets, no tokens.
CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP DEFAULT current_timestamp);
INSERT INTO schema_version VALUES (1, '2026-01-01 00:00:00');
CREATE TABLE users (id VARCHAR PRIMARY KEY, email VARCHAR UNIQUE NOT NULL, name VARCHAR, role VARCHAR DEFAULT 'analyst', password_hash VARCHAR, setup_token VARCHAR, setup_token_created TIMESTAMP, reset_token VARCHAR, reset_token_created TIMESTAMP, created_at TIMESTAMP DEFAULT current_timestamp, updated_at TIMESTAMP);
INSERT INTO users (id, email, name, role, password_hash, created_at) VALUES
    ('u-root', 'root@example.com', 'Root', 'admin', '$argon2id$v=19$m=1048576,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$qMPcXkO0XyGy5w0C8uXl8oU5n7H5uYt2mFjT1v3m1xk', '2025-01-01 00:00:00'),
    ('u-ana', 'ana@example.com', 'Ana', 'analyst', NULL, '2025-01-02 00:00:00'),
    ('u-kim', 'kim@example.com', 'Kim', 'km_admin', NULL, '2025-01-03 00:00:00'),
    ('u-vera', 'vera@example.com', 'Vera', NULL, NULL, '2025-01-04 00:00:00'),
    ('u-twin', 'ANA@example.com', 'Another Ana', 'admin', NULL, '2025-01-05 00:00:00');
UPDATE users SET reset_token = 'abc', reset_token_created = '2026-01-01 00:00:00' WHERE id = 'u-kim';
CREATE TABLE table_registry (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, folder VARCHAR, sync_strategy VARCHAR DEFAULT 'full_refresh', primary_key VARCHAR, description TEXT, registered_by VARCHAR, registered_at TIMESTAMP DEFAULT current_timestamp);
INSERT INTO table_registry (id, name, primary_key, description, registered_at) VALUES ('orders', 'orders', 'id, line', 'What was bought', '2025-01-01 00:00:00'), ('salaries', 'salaries', '[''id'']', NULL, '2025-01-01 00:00:00'), ('customers', 'customers', NULL, NULL, '2025-01-01 00:00:00'), ('orders2', 'ORDERS', NULL, NULL, '2025-02-01 00:00:00');
CREATE TABLE dataset_permissions (user_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, access VARCHAR DEFAULT 'read', PRIMARY KEY (user_id, dataset));
INSERT INTO dataset_permissions VALUES ('u-ana', 'orders', 'read'), ('u-kim', 'orders', 'read'), ('u-vera', 'orders', 'read'), ('u-vera', 'customers', 'read'), ('u-vera', 'salaries', 'none'), ('u-gone', 'orders', 'read'), ('u-ana', 'nothing', 'read');
CREATE TABLE access_requests (id VARCHAR PRIMARY KEY, user_id VARCHAR NOT NULL, user_email VARCHAR, table_id VARCHAR NOT NULL, reason TEXT, status VARCHAR DEFAULT 'pending', reviewed_by VARCHAR, reviewed_at TIMESTAMP, created_at TIMESTAMP DEFAULT current_timestamp);
INSERT INTO access_requests (id, user_id, user_email, table_id, reason, status) VALUES ('r1', 'u-ana', 'ana@example.com', 'salaries', 'curious', 'pending'), ('r2', 'u-ana', 'ana@example.com', 'orders', NULL, 'approved');
CREATE TABLE sync_state (table_id VARCHAR PRIMARY KEY, last_sync TIMESTAMP, rows BIGINT, file_size_bytes BIGINT, uncompressed_size_bytes BIGINT, columns INTEGER, hash VARCHAR, status VARCHAR DEFAULT 'ok', error TEXT);
INSERT INTO sync_state (table_id, rows) VALUES ('orders', 10);
CREATE TABLE sync_history (id VARCHAR PRIMARY KEY, table_id VARCHAR NOT NULL, synced_at TIMESTAMP NOT NULL, rows BIGINT, duration_ms INTEGER, status VARCHAR, error TEXT);
CREATE TABLE user_sync_settings (user_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, enabled BOOLEAN DEFAULT false, table_mode VARCHAR DEFAULT 'all', tables JSON, updated_at TIMESTAMP, PRIMARY KEY (user_id, dataset));
INSERT INTO user_sync_settings (user_id, dataset, enabled) VALUES ('u-ana', 'orders', true);
CREATE TABLE knowledge_items (id VARCHAR PRIMARY KEY, title VARCHAR NOT NULL, content TEXT);
INSERT INTO knowledge_items VALUES ('k1', 'Revenue', 'is net'), ('k2', 'Churn', 'is monthly');
CREATE TABLE audit_log (id VARCHAR PRIMARY KEY, timestamp TIMESTAMP NOT NULL DEFAULT current_timestamp, user_id VARCHAR, action VARCHAR NOT NULL, resource VARCHAR, params JSON, result VARCHAR, duration_ms INTEGER);
INSERT INTO audit_log SELECT 'a-' || i, TIMESTAMP '2026-01-01 00:00:00' + INTERVAL (i) MINUTE, 'u-root', 'user.update', 'user:u-ana', '{"name":"Ana"}', NULL, i FROM range(600) t(i);
CREATE TABLE telegram_links (user_id VARCHAR PRIMARY KEY, chat_id BIGINT);
CREATE TABLE script_registry (id VARCHAR PRIMARY KEY, name VARCHAR);
CREATE TABLE table_profiles (table_id VARCHAR PRIMARY KEY, profile JSON NOT NULL, profiled_at TIMESTAMP DEFAULT current_timestamp);
