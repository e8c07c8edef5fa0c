-- What somebody had asked of other systems on a day, besides the bytes: statements, and millionths of a US dollar.
ALTER TABLE scan_usage ADD COLUMN statements BIGINT;
ALTER TABLE scan_usage ADD COLUMN cost_micros BIGINT;
