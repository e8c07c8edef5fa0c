-- How many bytes somebody had scanned on a day (UTC, yyyy-MM-dd).
CREATE TABLE scan_usage (
    user_id VARCHAR NOT NULL,
    day VARCHAR NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (user_id, day)
);
