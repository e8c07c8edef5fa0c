using System.Globalization;

namespace Agnes.Emulators.BigQuery;

/// <summary>The views of INFORMATION_SCHEMA and <c>__TABLES__</c> that are asked for, as queries of the engine over literals.</summary>
internal static class InformationSchema
{
    public static string Of(Warehouse warehouse, string project, string dataset, string view) => view.ToUpperInvariant() switch
    {
        "TABLES" => Rows(
            "table_catalog VARCHAR, table_schema VARCHAR, table_name VARCHAR, table_type VARCHAR, is_insertable_into VARCHAR, "
                + "creation_time TIMESTAMPTZ",
            warehouse.In(project, dataset).Select(table =>
                $"({Text(project)}, {Text(dataset)}, {Text(table.Name)}, {Text(TypeOf(table))}, "
                    + $"{Text(table.Type == "TABLE" ? "YES" : "NO")}, {Instant(table.Created)})")),
        "COLUMNS" => Rows(
            "table_catalog VARCHAR, table_schema VARCHAR, table_name VARCHAR, column_name VARCHAR, ordinal_position BIGINT, is_nullable "
                + "VARCHAR, data_type VARCHAR, "
            + "is_hidden VARCHAR, is_partitioning_column VARCHAR, clustering_ordinal_position BIGINT",
            warehouse.In(project, dataset).SelectMany(Columns)),
        _ => throw BigQueryError.Missing($"Table {project}:{dataset}.INFORMATION_SCHEMA.{view}"),
    };

    /// <summary>A region's view has no row for views, and there is none for a region that has no data set here.</summary>
    public static string OfRegion(Warehouse warehouse, string project, string region, string view)
    {
        var datasets = warehouse.Datasets.Where(
            entry => entry.Key.Project == project && entry.Value.Equals(region, StringComparison.OrdinalIgnoreCase))
            .Select(entry => entry.Key.Dataset).ToHashSet(StringComparer.Ordinal);
        if (datasets.Count == 0 || !view.Equals("TABLE_STORAGE", StringComparison.OrdinalIgnoreCase))
        {
            throw BigQueryError.Missing($"Table {project}:region-{region}.INFORMATION_SCHEMA.{view} was not found in location {region}");
        }

        return Rows(
            "project_id VARCHAR, table_schema VARCHAR, table_name VARCHAR, total_rows BIGINT, total_logical_bytes BIGINT, "
                + "active_logical_bytes BIGINT, "
            + "long_term_logical_bytes BIGINT",
            warehouse.Tables.Where(table => table.Project == project && table.HasRows && datasets.Contains(table.Dataset)).Select(table =>
                $"({Text(project)}, {Text(table.Dataset)}, {Text(table.Name)}, {Number(table.Rows)}, {Number(table.TotalBytes)}, "
                    + $"{Number(table.TotalBytes)}, 0)"));
    }

    public static string OfTables(Warehouse warehouse, string project, string dataset) => Rows(
        "project_id VARCHAR, dataset_id VARCHAR, table_id VARCHAR, creation_time BIGINT, last_modified_time BIGINT, row_count BIGINT, "
            + "size_bytes BIGINT, type BIGINT",
        warehouse.In(project, dataset).Select(table =>
            $"({Text(project)}, {Text(dataset)}, {Text(table.Name)}, {Number(table.Created.ToUnixTimeMilliseconds())}, "
            + $"{Number(table.Modified.ToUnixTimeMilliseconds())}, {Number(table.HasRows ? table.Rows : 0)}, "
            + $"{Number(table.HasRows ? table.TotalBytes : 0)}, "
            + $"{(table.Type == "VIEW" ? 2 : table.Type == "EXTERNAL" ? 3 : 1)})"));

    private static IEnumerable<string> Columns(Table table) => table.Fields.Select((field, index) =>
    {
        var clustering = table.Clustering.ToList().IndexOf(field.Name);
        return $"({Text(table.Project)}, {Text(table.Dataset)}, {Text(table.Name)}, {Text(field.Name)}, {Number(index + 1)}, "
            + $"{Text(field.Mode == "NULLABLE" ? "YES" : "NO")}, {Text(field.StandardType)}, 'NO', "
            + $"{Text(table.PartitionField == field.Name ? "YES" : "NO")}, "
            + $"{(clustering < 0 ? "NULL" : Number(clustering + 1))})";
    });

    /// <summary>Here it has a space, in <c>tables.list</c> an underscore.</summary>
    private static string TypeOf(Table table) => table.Type switch
    {
        "TABLE" => "BASE TABLE",
        "MATERIALIZED_VIEW" => "MATERIALIZED VIEW",
        var other => other,
    };

    private static string Rows(string columns, IEnumerable<string> rows)
    {
        var declared = columns.Split(", ").Select(column => column.Split(' ')).ToList();
        var selected = string.Join(", ", declared.Select(column => $"CAST({column[0]} AS {column[1]}) AS {column[0]}"));
        var values = rows.ToList();
        var none = values.Count == 0;
        if (none) values.Add($"({string.Join(", ", declared.Select(_ => "NULL"))})");
        return $"SELECT {selected} FROM (VALUES {string.Join(", ", values)}) AS "
            + $"v({string.Join(", ", declared.Select(column => column[0]))}){(none ? " WHERE false" : "")}";
    }

    private static string Text(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Instant(DateTimeOffset instant) =>
        $"TIMESTAMPTZ '{instant.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}+00'";
}
