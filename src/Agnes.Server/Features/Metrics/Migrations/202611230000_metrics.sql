-- How the company calculates its figures. Lists and mappings are JSON as text.
CREATE TABLE metric_definitions (
    id VARCHAR PRIMARY KEY,
    name VARCHAR NOT NULL,
    display_name VARCHAR NOT NULL,
    category VARCHAR NOT NULL,
    description VARCHAR,
    type VARCHAR NOT NULL,
    unit VARCHAR,
    grain VARCHAR,
    table_name VARCHAR,
    tables VARCHAR,
    expression VARCHAR,
    time_column VARCHAR,
    dimensions VARCHAR,
    filters VARCHAR,
    synonyms VARCHAR,
    notes VARCHAR,
    sql VARCHAR NOT NULL,
    sql_variants VARCHAR,
    validation VARCHAR,
    source VARCHAR NOT NULL,
    sql_tables VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

-- Questions with an answer that somebody checked. Shown to analysts once an admin called them canonical.
CREATE TABLE verified_queries (
    id VARCHAR PRIMARY KEY,
    question VARCHAR NOT NULL,
    description VARCHAR,
    sql VARCHAR NOT NULL,
    parameters VARCHAR NOT NULL,
    sql_tables VARCHAR NOT NULL,
    canonical_by VARCHAR,
    canonical_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
