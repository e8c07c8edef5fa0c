-- People who let a desktop application act for them.
CREATE TABLE desktop_links (
    user_id VARCHAR PRIMARY KEY,
    linked_at TIMESTAMP NOT NULL
);
