-- Of a version that an admin went back to: what the source still offers, and is not published again.
ALTER TABLE table_versions ADD COLUMN instead_of VARCHAR;
