-- What a scheduler beside the server did last, so that it goes on from there after a restart.
CREATE TABLE scheduler_job_state (
    name VARCHAR PRIMARY KEY,
    last_started TIMESTAMP NOT NULL,
    last_finished TIMESTAMP NOT NULL,
    last_status VARCHAR NOT NULL,
    last_http_status INTEGER,
    last_error VARCHAR,
    consecutive_failures INTEGER NOT NULL
);
