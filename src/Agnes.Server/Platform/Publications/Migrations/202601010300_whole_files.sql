-- All rows of a table of several parts in one file, for clients that know no parts.
ALTER TABLE table_versions ADD COLUMN whole_sha256 VARCHAR;
ALTER TABLE table_versions ADD COLUMN whole_md5 VARCHAR;
ALTER TABLE table_versions ADD COLUMN whole_size_bytes BIGINT;
ALTER TABLE table_versions ADD COLUMN whole_modified_ns BIGINT;
ALTER TABLE table_versions ADD COLUMN whole_inode BIGINT;
ALTER TABLE table_versions ADD COLUMN whole_made_at TIMESTAMP;
