-- Where a job waits for its turn. What waits from before waits for the disk.
ALTER TABLE jobs ADD COLUMN lane VARCHAR;
UPDATE jobs SET lane = 'disk';

-- When each kind of job is due. The row is what decides who starts it: of many processes, the one whose update finds the time unchanged.
CREATE TABLE job_schedules (
    kind VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    due_at TIMESTAMP NOT NULL,
    started_at TIMESTAMP,
    PRIMARY KEY (kind, subject)
);
