-- What is to leave the house, sealed, until it is taken or given up.
CREATE TABLE outbox (
    id VARCHAR PRIMARY KEY,
    channel VARCHAR NOT NULL,
    content VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    attempts INTEGER NOT NULL,
    due_at TIMESTAMP NOT NULL
);
