-- The server processes that share this state: what each has in scratch and staging is its own while it is seen.
CREATE TABLE processes (
    id VARCHAR PRIMARY KEY,
    started_at TIMESTAMP NOT NULL,
    seen_at TIMESTAMP NOT NULL
);
