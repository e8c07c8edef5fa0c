-- What tells, without reading them, that a table and its parts are still what was published.
ALTER TABLE table_versions ADD COLUMN origin VARCHAR;
ALTER TABLE version_parts ADD COLUMN stamp VARCHAR;

-- A renamed table takes its versions and their parts along.
-- pg: ALTER TABLE version_parts DROP CONSTRAINT version_parts_name_number_fkey;
-- pg: ALTER TABLE version_parts ADD CONSTRAINT version_parts_name_number_fkey FOREIGN KEY (name, number) REFERENCES table_versions (name, number) ON UPDATE CASCADE;
