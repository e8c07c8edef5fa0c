-- Wrong passwords, for each account and, where the account was used from a network lately, for that network by itself.
CREATE TABLE sign_in_guesses (
    account VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    wrong INTEGER NOT NULL,
    last_at TIMESTAMP NOT NULL,
    PRIMARY KEY (account, network)
);
