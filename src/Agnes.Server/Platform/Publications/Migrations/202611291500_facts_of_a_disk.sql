-- Whether a part's file is as it was when it was read is a fact of one disk, and lies there.
ALTER TABLE version_parts DROP COLUMN modified_ns;
ALTER TABLE version_parts DROP COLUMN inode;
ALTER TABLE table_versions DROP COLUMN whole_modified_ns;
ALTER TABLE table_versions DROP COLUMN whole_inode;
