-- Sign-ins: each is listed to its owner and can be ended. What decides is the token and that it was not ended; `last_seen_at` is written at most once a minute.
CREATE TABLE sessions (
    id VARCHAR PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    method VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    last_seen_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    ip VARCHAR,
    user_agent VARCHAR,
    ended_at TIMESTAMP,
    ended_by VARCHAR
);

-- pg: CREATE INDEX sessions_user ON sessions (user_id, created_at DESC);
-- pg: CREATE INDEX sessions_expiry ON sessions (expires_at);
