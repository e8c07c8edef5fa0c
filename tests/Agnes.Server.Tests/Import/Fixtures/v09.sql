-- Schema version 9, as documented: roles are granted and imply others; users.role is empty; tokens; public tables; permissions on whole buckets.
CREATE TABLE schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP DEFAULT current_timestamp);
INSERT INTO schema_version VALUES (9, '2026-01-01 00:00:00');
CREATE TABLE users (id VARCHAR PRIMARY KEY, email VARCHAR UNIQUE NOT NULL, name VARCHAR, password_hash VARCHAR, setup_token VARCHAR, setup_token_created TIMESTAMP, reset_token VARCHAR, reset_token_created TIMESTAMP, role VARCHAR, active BOOLEAN, deactivated_at TIMESTAMP, deactivated_by VARCHAR, created_at TIMESTAMP DEFAULT current_timestamp, updated_at TIMESTAMP);
INSERT INTO users (id, email, name, password_hash, active, created_at) VALUES
    ('u-root', 'root@example.com', 'Root', '$argon2id$v=19$m=1048576,t=3,p=4$c29tZXNhbHRzb21lc2FsdA$qMPcXkO0XyGy5w0C8uXl8oU5n7H5uYt2mFjT1v3m1xk', NULL, '2025-01-01 00:00:00'), ('u-ana', 'ana@example.com', 'Ana', NULL, true, '2025-01-02 00:00:00'),
    ('u-ben', 'ben@example.com', 'Ben', NULL, true, '2025-01-03 00:00:00'), ('u-boss', ' boss@example.com', 'Boss', NULL, true, '2025-01-04 00:00:00'), ('u-lee', 'lee@example.com', 'Lee', NULL, false, '2025-01-05 00:00:00');
-- Left behind by somebody's own hand; since version 9 it decides nothing.
UPDATE users SET role = 'admin' WHERE id = 'u-ben';
CREATE TABLE internal_roles (id VARCHAR PRIMARY KEY, key VARCHAR UNIQUE, display_name VARCHAR, description TEXT, owner_module VARCHAR, created_at TIMESTAMP, updated_at TIMESTAMP, implies VARCHAR DEFAULT '[]', is_core BOOLEAN DEFAULT false);
INSERT INTO internal_roles (id, key, implies, is_core) VALUES ('r-v', 'core.viewer', '[]', true), ('r-a', 'core.analyst', '["core.viewer"]', true), ('r-k', 'core.km_admin', '["core.analyst"]', true), ('r-x', 'core.admin', '["core.km_admin"]', true), ('r-b', 'module.boss', '["core.admin"]', false);
CREATE TABLE group_mappings (id VARCHAR PRIMARY KEY, external_group_id VARCHAR, internal_role_id VARCHAR, assigned_at TIMESTAMP, assigned_by VARCHAR);
INSERT INTO group_mappings (id, external_group_id, internal_role_id) VALUES ('m1', 'data@example.com', 'r-a');
CREATE TABLE user_role_grants (id VARCHAR PRIMARY KEY, user_id VARCHAR, internal_role_id VARCHAR, granted_at TIMESTAMP, granted_by VARCHAR, source VARCHAR DEFAULT 'direct');
INSERT INTO user_role_grants (id, user_id, internal_role_id) VALUES ('g1', 'u-root', 'r-x'), ('g2', 'u-ana', 'r-a'), ('g3', 'u-ben', 'r-v'), ('g4', 'u-boss', 'r-b');
CREATE TABLE personal_access_tokens (id VARCHAR PRIMARY KEY, user_id VARCHAR NOT NULL, name VARCHAR NOT NULL, token_hash VARCHAR NOT NULL, prefix VARCHAR NOT NULL, scopes VARCHAR, created_at TIMESTAMP NOT NULL DEFAULT current_timestamp, expires_at TIMESTAMP, last_used_at TIMESTAMP, last_used_ip VARCHAR, revoked_at TIMESTAMP);
INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at) VALUES ('0f8c2f6e-1111-4222-8333-444455556666', 'u-ana', 'laptop', '742de68900837df8f0768e6ceeed0863d5b423741c08a4332e2a08b6d223ea15', '0f8c2f6e', '2026-01-01 00:00:00');
INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at, revoked_at) VALUES ('t-lost', 'u-ana', 'lost', 'aa', 't-lost', '2026-01-01 00:00:00', '2026-01-02 00:00:00');
INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at) VALUES ('t-orphan', 'u-gone', 'orphan', 'bb', 't-orphan', '2026-01-01 00:00:00');
CREATE TABLE table_registry (id VARCHAR PRIMARY KEY, name VARCHAR NOT NULL, source_type VARCHAR, bucket VARCHAR, source_table VARCHAR, sync_strategy VARCHAR DEFAULT 'full_refresh', query_mode VARCHAR DEFAULT 'local', sync_schedule VARCHAR, profile_after_sync BOOLEAN DEFAULT true, primary_key VARCHAR, folder VARCHAR, description TEXT, registered_by VARCHAR, registered_at TIMESTAMP DEFAULT current_timestamp, is_public BOOLEAN DEFAULT true);
INSERT INTO table_registry (id, name, source_type, bucket, source_table, is_public, registered_at) VALUES
    ('orders', 'orders', 'keboola', 'in.c-shop', 'orders', false, '2025-01-01 00:00:00'), ('customers', 'customers', 'keboola', 'in.c-shop', 'customers', false, '2025-01-01 00:00:00'),
    ('calendar', 'calendar', 'keboola', 'in.c-base', 'calendar', true, '2025-01-01 00:00:00'), ('salaries', 'salaries', 'keboola', 'in.c-hr', 'salaries', NULL, '2025-01-01 00:00:00');
CREATE TABLE dataset_permissions (user_id VARCHAR NOT NULL, dataset VARCHAR NOT NULL, access VARCHAR DEFAULT 'read', PRIMARY KEY (user_id, dataset));
INSERT INTO dataset_permissions VALUES ('u-ana', 'in.c-shop.*', 'read'), ('u-lee', 'orders', 'read');
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
