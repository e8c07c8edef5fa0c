-- What a job needs to be run again, and how often it was.
ALTER TABLE jobs ADD COLUMN input VARCHAR;
ALTER TABLE jobs ADD COLUMN attempts INTEGER;
ALTER TABLE jobs ADD COLUMN cancel_requested_at TIMESTAMP;

-- What a job did to each of its tables.
CREATE TABLE job_steps (
    job_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    phase VARCHAR,
    rows BIGINT,
    bytes BIGINT,
    started_at TIMESTAMP,
    finished_at TIMESTAMP,
    error VARCHAR,
    PRIMARY KEY (job_id, name)
);
