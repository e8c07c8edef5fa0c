namespace Agnes.Connectors.Postgres;

/// <summary>What is asked of a PostgreSQL's own tables.</summary>
internal static class PostgresCatalog
{
    /// <summary>Of a domain, what it is made of; a domain over a domain is read as a text.</summary>
    public const string Columns = """
        SELECT a.attname,
            pg_catalog.format_type(
                CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END,
                CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END),
            NOT a.attnotnull, coalesce(c.collisdeterministic, true)
        FROM pg_catalog.pg_attribute a
            JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
            LEFT JOIN pg_catalog.pg_collation c ON c.oid = a.attcollation
        WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
        ORDER BY a.attnum
        """;

    public const string Tables = """
        SELECT n.nspname, c.relname
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND NOT c.relispartition
            AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\_%' AND ($4 = '' OR n.nspname = $4)
            AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
            AND (n.nspname::text, c.relname::text) > ($1, $2)
        ORDER BY n.nspname::text, c.relname::text LIMIT $3
        """;

    /// <summary>Of a partitioned table its partitions'. What was never counted says -1; a view has nothing to be counted.</summary>
    public const string Statistics = """
        SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN' ELSE 'BASE TABLE' END,
            CASE WHEN c.relkind <> 'v' AND s.least >= 0 THEN s.rows END,
            CASE WHEN c.relkind NOT IN ('v', 'f') THEN s.pages * pg_catalog.current_setting('block_size')::bigint END,
            (SELECT a.attname FROM pg_catalog.pg_partitioned_table p
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0] WHERE p.partrelid = c.oid),
            (SELECT pg_catalog.array_agg(a.attname::text ORDER BY k.place) FROM pg_catalog.pg_index i
                CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
                JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
                WHERE i.indrelid = c.oid AND i.indisclustered),
            pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
        FROM pg_catalog.pg_class c CROSS JOIN LATERAL (
            SELECT pg_catalog.min(l.reltuples) AS least, pg_catalog.sum(l.reltuples)::bigint AS rows,
                pg_catalog.sum(l.relpages)::bigint AS pages
            FROM (SELECT c.oid AS relid WHERE c.relkind <> 'p'
                UNION ALL SELECT t.relid FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf AND c.relkind = 'p') t
                JOIN pg_catalog.pg_class l ON l.oid = t.relid) s
        WHERE c.oid = pg_catalog.to_regclass($1)
        """;

    /// <summary>Columns of the primary key, in its order.</summary>
    public const string Keys = """
        SELECT a.attname
        FROM pg_catalog.pg_index i CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY k (attnum, place)
            JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
        WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisprimary
        ORDER BY k.place
        """;
}
