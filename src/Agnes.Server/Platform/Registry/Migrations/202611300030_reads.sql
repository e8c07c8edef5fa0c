ALTER TABLE table_registry ADD COLUMN reads_tables VARCHAR;
