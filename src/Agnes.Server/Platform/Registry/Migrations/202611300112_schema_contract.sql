-- What becomes of a table when its source has other columns than the version that is published: freeze or discard; NULL: evolve.
ALTER TABLE table_registry ADD COLUMN schema_contract VARCHAR;
