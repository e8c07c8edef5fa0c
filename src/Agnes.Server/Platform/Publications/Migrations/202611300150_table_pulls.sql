-- How the pulling of each table goes, beside what is published of it: for when it was last pulled, also when that brought nothing new,
-- how often it failed since, and when it is tried again.
CREATE TABLE table_pulls (
    table_name VARCHAR PRIMARY KEY,
    pulled_at TIMESTAMP,
    failures INTEGER NOT NULL DEFAULT 0,
    failed_at TIMESTAMP,
    retry_at TIMESTAMP,
    alerted_at TIMESTAMP
);
