-- Links that were sent to set a password: only their hashes, each for one purpose and one use.
CREATE TABLE auth_tokens (
    id VARCHAR PRIMARY KEY,
    user_id VARCHAR NOT NULL,
    purpose VARCHAR NOT NULL,
    token_sha256 VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    consumed_at TIMESTAMP
);

-- What happened once and must not be possible again, e.g. making the first admin without credentials.
CREATE TABLE sign_in_flags (
    name VARCHAR PRIMARY KEY,
    set_at TIMESTAMP NOT NULL
);

-- pg: CREATE INDEX auth_tokens_hash ON auth_tokens (token_sha256);
-- pg: CREATE INDEX auth_tokens_user ON auth_tokens (user_id);
