-- Whether the engine has bound everything in a definition, so that sql_tables is all that it reads. What was stored before is bound again at the next start.
ALTER TABLE metric_definitions ADD COLUMN bound BOOLEAN DEFAULT 'f';
ALTER TABLE verified_queries ADD COLUMN bound BOOLEAN DEFAULT 'f';
