-- Texts that an admin put in the place of the shipped ones; content is null where the shipped one counts again.
CREATE TABLE instance_templates (
    key VARCHAR PRIMARY KEY,
    content VARCHAR,
    previous_content VARCHAR,
    updated_at TIMESTAMP,
    updated_by VARCHAR
);
