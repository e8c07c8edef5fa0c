using Agnes.Engine.Query.Remote;

namespace Agnes.Connectors.BigQuery;

/// <param name="Location">Null: the listing does not say.</param>
public sealed record BigQueryDataset(string Project, string Dataset, string? Location);

/// <param name="Type">TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL, SNAPSHOT or CLONE.</param>
public sealed record BigQueryListedTable(TableReference Table, string Type);

/// <summary>What BigQuery knows of a table.</summary>
/// <param name="Type">TABLE, VIEW, MATERIALIZED_VIEW, EXTERNAL, SNAPSHOT or CLONE.</param>
/// <param name="Rows">Null for what stores none.</param>
/// <param name="Bytes">Logical ones, which are what is billed; null for what stores none.</param>
/// <param name="PartitionedBy">A column, or <c>_PARTITIONTIME</c> for the time of loading.</param>
/// <param name="NeedsPartitionFilter">A question without a filter on that column is refused.</param>
public sealed record BigQueryTable(
    TableReference Table, string Type, IReadOnlyList<BigQueryField> Columns, long? Rows, long? Bytes, string? PartitionedBy,
        IReadOnlyList<string> ClusteredBy,
    DateTimeOffset? ChangedAt, string? Location, string? Description, bool NeedsPartitionFilter)
{
    /// <summary>Rows of it can be listed without running a statement.</summary>
    public bool StoresRows => IsStored(Type);

    internal RemoteDescription ToDescription() => new([.. Columns.Select(column => column.ToColumn())])
    {
        Layout = new RemoteLayout(PartitionedBy, ClusteredBy),
        EntityType = EntityOf(Type),
        Rows = Rows,
        Bytes = Bytes,
    };

    internal static BigQueryTable From(TableMessage message)
    {
        var type = Normal(message.Type);
        var stores = IsStored(type);
        return new BigQueryTable(
            message.TableReference,
            type,
            BigQueryField.From(message.Schema),
            stores ? message.NumRows : null,
            stores ? message.NumBytes : null,
            message.TimePartitioning is { } time ? time.Field ?? "_PARTITIONTIME" : message.RangePartitioning?.Field,
            message.Clustering?.Fields ?? [],
            message.LastModifiedTime is { } millis ? DateTimeOffset.FromUnixTimeMilliseconds(millis) : null,
            message.Location,
            message.Description,
            message.RequirePartitionFilter ?? false);
    }

    /// <summary>As INFORMATION_SCHEMA has it, which is what the contract shows.</summary>
    internal static string EntityOf(string type) => type switch
    {
        "TABLE" => "BASE TABLE",
        _ => type.Replace('_', ' '),
    };

    private static bool IsStored(string type) => type is not ("VIEW" or "MATERIALIZED_VIEW" or "EXTERNAL");

    /// <summary>Listings write an underscore where INFORMATION_SCHEMA writes a space, and call a table so or BASE TABLE.</summary>
    internal static string Normal(string? type) => type switch
    {
        null or "BASE TABLE" => "TABLE",
        "MATERIALIZED VIEW" => "MATERIALIZED_VIEW",
        _ => type,
    };
}
