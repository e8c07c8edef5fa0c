namespace Agnes.Testing;

/// <summary>What somebody may send who was granted <c>orders</c> and wants more. The engine's tests and the server's run the same lists.</summary>
internal static class HostileSql
{
    /// <summary>Statements that read a table without a right to it, in every place where a table can be named.</summary>
    /// <param name="table">Its name.</param>
    public static IReadOnlyList<string> NamingTheTable(string table) =>
    [
        // plainly
        $"SELECT * FROM {table}", $"select * from {table}", $"FROM {table}", $"TABLE {table}", $"SELECT * FROM \"{table}\"", $"SELECT * FROM {table.ToUpperInvariant()}", $"SELECT * FROM \"{char.ToUpperInvariant(table[0])}{table[1..]}\"",
        $"SELECT * FROM main.{table}", $"SELECT * FROM main.\"{table}\"", $"SELECT * FROM MAIN.{table}", $"SELECT * FROM memory.main.{table}", $"SELECT * FROM memory.{table}",
        $"SELECT * FROM temp.{table}", $"SELECT * FROM system.main.{table}", $"SELECT * FROM kbc.bucket.{table}", $"SELECT * FROM {table} AS orders", $"SELECT orders.* FROM {table} orders",
        $"SELECT/**/*/**/FROM/**/{table}", $"SELECT * FROM -- orders\n {table}", $"SELECT * FROM /* orders */ {table}", $"SELECT\t*\u00a0FROM\u2003{table}", $"FROM {table} SELECT secret", $"FROM {table} LIMIT 1",
        $"SELECT * FROM {table} TABLESAMPLE 100%", $"SELECT * FROM {table} AT (VERSION => 1)",
        // in joins
        $"SELECT * FROM orders, {table}", $"SELECT * FROM orders JOIN {table} USING (id)", $"SELECT * FROM orders NATURAL JOIN {table}", $"SELECT * FROM orders POSITIONAL JOIN {table}",
        $"SELECT * FROM orders ASOF JOIN {table} ON orders.id >= {table}.id", $"SELECT * FROM orders CROSS JOIN {table}", $"SELECT * FROM orders SEMI JOIN {table} USING (id)",
        $"SELECT * FROM orders ANTI JOIN {table} USING (id)", $"SELECT * FROM orders LEFT JOIN (SELECT * FROM {table}) s ON true", $"SELECT * FROM orders, LATERAL (SELECT * FROM {table} WHERE {table}.id = orders.id) l",
        // in every clause that takes an expression
        $"SELECT (SELECT max(secret) FROM {table})", $"SELECT id FROM orders WHERE id IN (SELECT id FROM {table})", $"SELECT id FROM orders WHERE EXISTS (FROM {table})",
        $"SELECT id FROM orders WHERE id = ANY (SELECT id FROM {table})", $"SELECT id FROM orders WHERE id > ALL (SELECT id FROM {table})", $"SELECT id FROM orders ORDER BY (SELECT max(secret) FROM {table})",
        $"SELECT id FROM orders LIMIT (SELECT count(*) FROM {table})", $"SELECT id FROM orders LIMIT 1 OFFSET (SELECT count(*) FROM {table})", $"SELECT count(*) FROM orders GROUP BY (SELECT max(secret) FROM {table})",
        $"SELECT count(*) FROM orders GROUP BY id HAVING count(*) < (SELECT count(*) FROM {table})", $"SELECT id FROM orders QUALIFY row_number() OVER (ORDER BY (SELECT max(secret) FROM {table})) = 1",
        $"SELECT count(*) FILTER (WHERE id < (SELECT max(id) FROM {table})) FROM orders", $"SELECT sum(id) OVER (PARTITION BY (SELECT max(secret) FROM {table})) FROM orders",
        $"SELECT sum(id) OVER (ROWS BETWEEN (SELECT 1 FROM {table} LIMIT 1) PRECEDING AND CURRENT ROW) FROM orders", $"SELECT lag(id, 1, (SELECT max(id) FROM {table})) OVER () FROM orders",
        $"SELECT sum(id) OVER w FROM orders WINDOW w AS (ORDER BY (SELECT max(id) FROM {table}))", $"SELECT string_agg(customer, ',' ORDER BY (SELECT max(id) FROM {table})) FROM orders",
        $"SELECT CASE WHEN (SELECT true FROM {table} LIMIT 1) THEN 1 END", $"SELECT CAST((SELECT max(secret) FROM {table}) AS VARCHAR)", $"SELECT (SELECT max(secret) FROM {table}) COLLATE NOCASE",
        $"SELECT id BETWEEN 1 AND (SELECT max(id) FROM {table}) FROM orders", $"SELECT [(SELECT max(secret) FROM {table})]", $"SELECT {{'a': (SELECT max(secret) FROM {table})}}", $"SELECT MAP {{'a': (SELECT max(secret) FROM {table})}}",
        $"SELECT list_transform([1], lambda x: (SELECT max(secret) FROM {table}))", $"SELECT [(SELECT max(secret) FROM {table}) FOR x IN [1]]", $"SELECT [x FOR x IN (SELECT list(secret) FROM {table})]",
        $"SELECT array(SELECT secret FROM {table})", $"SELECT unnest((SELECT list(secret) FROM {table}))", $"SELECT * FROM unnest((SELECT list(secret) FROM {table}))", $"SELECT * FROM range((SELECT max(id) FROM {table}))",
        $"SELECT * FROM generate_series(1, (SELECT max(id) FROM {table}))", $"VALUES ((SELECT max(secret) FROM {table}))", $"SELECT * FROM (VALUES ((SELECT max(secret) FROM {table}))) v", $"SELECT * REPLACE ((SELECT max(secret) FROM {table}) AS id) FROM orders",
        $"SELECT DISTINCT ON ((SELECT max(id) FROM {table})) id FROM orders", $"SELECT coalesce(NULL, (SELECT max(secret) FROM {table}))", $"SELECT try((SELECT max(secret) FROM {table}))", $"SELECT id FROM orders o WHERE (SELECT count(*) FROM {table} s WHERE s.id = o.id) > 0",
        $"SELECT COLUMNS(c -> c IN (SELECT secret FROM {table})) FROM orders", $"SELECT (FROM {table} SELECT max(secret))", $"SELECT id FROM orders WHERE (id, 1) IN (SELECT id, 1 FROM {table})", $"SELECT GROUPING(id) FROM orders GROUP BY CUBE (id, (SELECT max(id) FROM {table}))",
        // set operations and common table expressions
        $"SELECT id FROM orders UNION ALL SELECT id FROM {table}", $"(SELECT id FROM orders) EXCEPT (SELECT id FROM {table})", $"SELECT id FROM orders INTERSECT SELECT id FROM {table}", $"SELECT id FROM orders UNION BY NAME SELECT id FROM {table}",
        $"WITH a AS (SELECT * FROM {table}) SELECT * FROM a", $"WITH {table} AS (SELECT * FROM {table}) SELECT * FROM {table}", $"WITH {table} AS (SELECT 1) SELECT * FROM main.{table}", $"WITH orders AS (SELECT * FROM {table}) SELECT * FROM orders",
        $"WITH a AS (WITH {table} AS (SELECT 1 AS id) SELECT * FROM {table}) SELECT * FROM a, {table}", $"WITH a AS (SELECT * FROM {table}), {table} AS (SELECT 1) SELECT * FROM a", $"SELECT * FROM {table} WHERE id IN (WITH {table} AS (SELECT 1 AS id) SELECT id FROM {table})",
        $"WITH RECURSIVE {table} AS (SELECT id FROM {table} UNION ALL SELECT id + 1 FROM {table} WHERE id < 3) SELECT * FROM {table}", $"WITH RECURSIVE a AS (SELECT 1 AS id UNION ALL SELECT a.id + 1 FROM a, {table} WHERE a.id < 3) SELECT * FROM a",
        $"WITH a AS MATERIALIZED (SELECT * FROM {table}) SELECT * FROM a", $"WITH a AS NOT MATERIALIZED (SELECT * FROM {table}) SELECT 1", $"SELECT 1 UNION SELECT (WITH q AS (FROM {table}) SELECT max(id) FROM q)",
        $"SELECT * FROM recurring.{table}", $"WITH RECURSIVE a AS (SELECT 1 AS id UNION ALL SELECT id FROM recurring.{table}) FROM a",
        $"WITH {table} AS (SELECT 1 AS id) SELECT * FROM recurring.{table}", $"WITH RECURSIVE {table} AS (SELECT 1 AS id UNION ALL SELECT id FROM {table} WHERE false) SELECT * FROM recurring.{table}",
        // other forms
        $"DESCRIBE {table}", $"SUMMARIZE {table}", $"SHOW {table}", $"DESCRIBE main.{table}", $"DESCRIBE SELECT * FROM {table}", $"SUMMARIZE SELECT * FROM {table}", $"SELECT * FROM (DESCRIBE {table})", $"SELECT * FROM (SUMMARIZE {table})", $"SELECT * FROM (SHOW {table})",
        $"PIVOT {table} ON id IN (1, 2) USING max(secret)", $"SELECT * FROM {table} PIVOT (max(secret) FOR id IN (1, 2))", $"UNPIVOT {table} ON secret INTO NAME n VALUE v", $"SELECT * FROM {table} UNPIVOT (v FOR n IN (secret))",
        $"PIVOT (SELECT * FROM {table}) ON id IN (1) USING count(*)", $"SELECT * FROM (PIVOT {table} ON id IN (1) USING count(*))",
        $"SELECT * FROM (({table} JOIN orders USING (id)))", $"((SELECT * FROM {table}))", $"SELECT {table} FROM {table}", $"SELECT COLUMNS(*) FROM {table}", $"SELECT * EXCLUDE (id) FROM {table}", $"SELECT columns FROM (SELECT 1 AS columns) UNION SELECT count(*) FROM {table}",
    ];

    /// <summary>Statements that reach for files, other catalogs, settings or other statements, or that change something, or are broken. They speak of a granted table <c>orders</c> and a hidden one <c>secrets</c>.</summary>
    public static IReadOnlyList<string> ReachingOutside { get; } =
    [
        // files, by function, by literal, by table function
        "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_csv_auto('/etc/passwd')", "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_blob('/etc/passwd')", "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_json_auto('/etc/passwd')", "SELECT * FROM read_json_objects('/etc/passwd')", "SELECT * FROM read_ndjson('/etc/passwd')", "SELECT * FROM read_ndjson_objects('/etc/passwd')", "SELECT * FROM read_parquet('x')",
        "SELECT * FROM parquet_scan('x')", "SELECT * FROM parquet_metadata('x')", "SELECT * FROM parquet_schema('x')", "SELECT * FROM parquet_kv_metadata('x')", "SELECT * FROM parquet_file_metadata('x')", "SELECT * FROM parquet_full_metadata('x')",
        "SELECT * FROM parquet_bloom_probe('x', 'a', 1)", "SELECT * FROM sniff_csv('/etc/passwd')", "SELECT * FROM glob('/*')", "SELECT * FROM read_duckdb('x')", "SELECT * FROM '/etc/passwd'", "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM 'x.parquet'", "SELECT * FROM '../x.csv'", "SELECT * FROM 'http://127.0.0.1/x.csv'", "SELECT * FROM 's3://b/x.parquet'", "SELECT * FROM '*.parquet'", "FROM 'x.json'", "SELECT * FROM arrow_scan(1, 2, 3)", "SELECT * FROM seq_scan('x')",
        "SELECT * FROM main.read_text('/etc/passwd')", "SELECT * FROM system.main.read_text('/etc/passwd')", "SELECT * FROM READ_TEXT('/etc/passwd')", "SELECT * FROM \"read_text\"('/etc/passwd')", "SELECT (SELECT content FROM read_text('/etc/passwd'))",
        "SELECT * FROM orders, read_text('/etc/passwd')", "WITH a AS (FROM read_text('/etc/passwd')) FROM a", "SELECT * FROM iceberg_scan('x')", "SELECT * FROM delta_scan('x')", "SELECT * FROM sqlite_scan('x', 'y')", "SELECT * FROM postgres_scan('', '', 'y')",
        "SELECT * FROM bigquery_query('p', 'SELECT 1')", "DESCRIBE '/etc/passwd'", "SUMMARIZE '/etc/passwd'", "DESCRIBE FROM read_text('/etc/passwd')",
        // text that becomes SQL
        "SELECT * FROM query('SELECT * FROM secrets')", "SELECT * FROM query('FROM read_text(''/etc/passwd'')')", "SELECT * FROM query_table('secrets')", "SELECT * FROM query_table(['secrets', 'orders'])", "SELECT * FROM json_execute_serialized_sql('{}')",
        "SELECT json_serialize_sql('SELECT 1')", "SELECT json_deserialize_sql('{}')", "SELECT json_serialize_plan('SELECT * FROM secrets')", "SELECT * FROM histogram('secrets', 'id')", "SELECT * FROM histogram_values('secrets', 'id')",
        "SELECT * FROM sql_auto_complete('SELECT ')", "SELECT * FROM check_peg_parser('SELECT 1')",
        // the catalog, settings, environment, secrets
        "SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.columns", "SELECT * FROM information_schema.schemata", "SELECT * FROM pg_catalog.pg_tables", "SELECT * FROM pg_catalog.pg_class", "SELECT * FROM pg_class", "SELECT * FROM pg_views",
        "SELECT * FROM pg_settings", "SELECT * FROM sqlite_master", "SELECT * FROM sqlite_schema", "SELECT * FROM duckdb_tables", "SELECT * FROM duckdb_tables()", "SELECT * FROM duckdb_views()", "SELECT * FROM duckdb_views", "SELECT * FROM duckdb_columns()",
        "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_secrets()", "SELECT * FROM duckdb_databases()", "SELECT * FROM duckdb_databases", "SELECT * FROM duckdb_functions()", "SELECT * FROM duckdb_extensions()", "SELECT * FROM duckdb_memory()",
        "SELECT * FROM duckdb_temporary_files()", "SELECT * FROM duckdb_logs()", "SELECT * FROM duckdb_logs", "SELECT * FROM duckdb_external_file_cache()", "SELECT * FROM duckdb_prepared_statements()", "SELECT * FROM duckdb_variables()", "SELECT * FROM which_secret('x', 's3')",
        "SELECT * FROM pragma_table_info('secrets')", "SELECT * FROM pragma_show('secrets')", "SELECT * FROM pragma_storage_info('secrets')", "SELECT * FROM pragma_database_size()", "SELECT * FROM pragma_version()", "SELECT * FROM pragma_user_agent()", "SELECT * FROM test_all_types()",
        "SELECT current_setting('allowed_paths')", "SELECT pg_catalog.current_setting('temp_directory')", "SELECT getenv('HOME')", "SELECT getvariable('x')", "SELECT nextval('s')", "SELECT currval('s')", "SELECT txid_current()", "SELECT current_query()", "SELECT current_database()",
        "SELECT current_schemas(true)", "SELECT in_search_path('memory', 'main')", "SELECT has_table_privilege('secrets', 'SELECT')", "SELECT pg_get_viewdef(1)", "SELECT obj_description(1, 'x')", "SELECT pg_table_is_visible(1)", "SELECT inet_server_addr()", "SELECT write_log('x')", "SELECT sleep_ms(1)",
        "SELECT pg_sleep(1)", "SELECT main.getenv('HOME')", "SELECT 'HOME'.getenv()", "SELECT list_transform(['HOME'], lambda x: getenv(x))", "SELECT id FROM orders ORDER BY current_setting('threads')", "SELECT sum(id) OVER (ORDER BY getvariable('x')) FROM orders", "SELECT * FROM range(current_setting('threads')::INT)",
        "SELECT stats(id) FROM orders", "SELECT __internal_decompress_string(1)",
        "SHOW DATABASES", "SHOW SCHEMAS", "SHOW TABLES FROM information_schema", "SELECT * FROM (SHOW TABLES)", "SELECT * FROM (SHOW ALL TABLES)", "SELECT * FROM (DESCRIBE)", "SHOW VARIABLES", "SHOW threads",
        // not a SELECT, and more than one
        "COPY orders TO '/tmp/x.csv'", "COPY (SELECT 1) TO '/tmp/x.csv'", "ATTACH '/tmp/x.db'", "ATTACH ':memory:' AS x", "DETACH memory", "INSTALL httpfs", "LOAD httpfs", "FORCE INSTALL httpfs", "SET threads = 1", "RESET threads", "SET VARIABLE x = 1", "PRAGMA database_list",
        "PRAGMA table_info('orders')", "EXPORT DATABASE '/tmp/x'", "IMPORT DATABASE '/tmp/x'", "CALL pragma_version()", "CALL duckdb_settings()", "CREATE TABLE x AS SELECT 1", "CREATE VIEW x AS SELECT 1", "CREATE MACRO m() AS TABLE SELECT 1", "CREATE TEMP MACRO m(a) AS a", "CREATE SECRET x (TYPE s3)",
        "DROP VIEW orders", "INSERT INTO orders VALUES (1)", "UPDATE orders SET id = 1", "DELETE FROM orders", "TRUNCATE orders", "ALTER VIEW orders RENAME TO o", "MERGE INTO orders USING orders o ON true WHEN MATCHED THEN DELETE", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 1", "PREPARE p AS SELECT 1", "EXECUTE p", "DEALLOCATE p",
        "BEGIN", "COMMIT", "ROLLBACK", "CHECKPOINT", "FORCE CHECKPOINT", "VACUUM", "ANALYZE", "USE memory", "COMMENT ON VIEW orders IS 'x'", "UPDATE EXTENSIONS", "SELECT 1; SELECT 2", "SELECT 1; DROP VIEW orders", "SELECT 1;; SELECT 2", ";SELECT 1; SELECT 2", "SELECT 1; -- x\nSELECT 2", "SELECT 1 /* ; */; SET threads = 1",
        "WITH a AS (INSERT INTO orders VALUES (1) RETURNING id) SELECT * FROM a", "WITH a AS (DELETE FROM orders RETURNING *) FROM a", "PIVOT orders ON customer USING sum(amount)", "SELECT 1; COMMIT", "", " ", ";", "-- nothing", "/* nothing */",
        // broken on purpose
        "SELECT * FROM", "SELECT '", "SELECT \"", "SELECT /* ", "SELECT $$", "SELECT * FROM orders WHERE", "selec 1", "\u0000", "SELECT 1\u0000; DROP VIEW orders", "\ufeffDROP VIEW orders", "SELECT $1", "SELECT ?", "SELECT $name", "SELECT * FROM `secrets`", "SELECT @@version", "\\copy orders to 'x'", ".tables",
    ];
}
