-- Whom an issuer's subject is with us: an address can pass to another person, a subject cannot.
CREATE TABLE sign_in_identities (
    issuer VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    user_id VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    linked_at TIMESTAMP NOT NULL,
    last_used_at TIMESTAMP NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- States that came back from an issuer: each is good once.
CREATE TABLE sign_in_states (
    state_sha256 VARCHAR PRIMARY KEY,
    used_at TIMESTAMP NOT NULL
);

-- pg: CREATE INDEX sign_in_identities_user ON sign_in_identities (user_id);
