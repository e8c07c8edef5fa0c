-- SHA-256 of the session's token, in hex: a session is good only as the token that was handed out. NULL: begun before this column, so for a day at most.
ALTER TABLE sessions ADD COLUMN token_hash VARCHAR;
