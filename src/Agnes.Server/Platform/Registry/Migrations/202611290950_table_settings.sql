-- What the kind of source lets people set for one table, as a JSON object; NULL: nothing.
ALTER TABLE table_registry ADD COLUMN settings VARCHAR;
