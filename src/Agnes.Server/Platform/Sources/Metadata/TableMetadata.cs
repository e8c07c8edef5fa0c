using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources.Metadata;

/// <summary>A row of <c>bq_metadata_cache</c>: what a source said last of a table that stays there.</summary>
internal sealed record TableMetadata
{
    /// <summary>The registry's.</summary>
    public required string TableId { get; init; }

    /// <summary>What was asked: <see cref="SourceOf"/>.</summary>
    public required string Source { get; init; }

    /// <summary>Null for a view.</summary>
    public long? Rows { get; init; }

    /// <summary>Null for a view.</summary>
    public long? SizeBytes { get; init; }

    public string? PartitionBy { get; init; }

    /// <summary>JSON: a list of columns.</summary>
    public string? ClusteredBy { get; init; }

    /// <summary>In the words of INFORMATION_SCHEMA.</summary>
    public string? EntityType { get; init; }

    /// <summary>JSON: a list of names.</summary>
    public string? KnownColumns { get; init; }

    /// <summary>When the source said all this; null: never.</summary>
    public DateTime? RefreshedAt { get; init; }

    /// <summary>When it failed to, since then.</summary>
    public DateTime? ErrorAt { get; init; }

    public string? ErrorMsg { get; init; }

    public IReadOnlyList<string> Clustering => Names(ClusteredBy);

    public IReadOnlyList<string> ColumnNames => Names(KnownColumns);

    /// <summary>A connection and what it calls the table. No secret is in either.</summary>
    public static string SourceOf(RowSource.Remote remote) => $"{remote.System.Connection}: {remote.Relation}";

    public static TableMetadata Of(string tableId, string source, RemoteDescription said, DateTime now) => new()
    {
        TableId = tableId,
        Source = source,
        Rows = said.Rows,
        SizeBytes = said.Bytes,
        PartitionBy = said.Layout?.PartitionedBy,
        ClusteredBy = Json(said.Layout?.ClusteredBy ?? []),
        EntityType = said.EntityType,
        KnownColumns = Json([.. said.Columns.Select(column => column.Name)]),
        RefreshedAt = now,
    };

    private static string Json(IReadOnlyList<string> names) => JsonSerializer.Serialize(names, MetadataJson.Default.IReadOnlyListString);

    private static IReadOnlyList<string> Names(string? json) =>
        json is null ? [] : JsonSerializer.Deserialize(json, MetadataJson.Default.IReadOnlyListString) ?? [];
}

/// <summary>How far what is known of a table can be believed, in the contract's words.</summary>
internal static class Freshness
{
    /// <summary>Its rows lie here: what is said of it is so.</summary>
    public const string NotApplicable = "not_applicable";

    public const string Fresh = "fresh";
    public const string Stale = "stale";
    public const string NeverFetched = "never_fetched";
    public const string Error = "error";

    /// <param name="interval">From one refresh to the next; one that was missed is forgiven.</param>
    public static string Of(TableMetadata? known, DateTime now, TimeSpan interval) => known switch
    {
        { RefreshedAt: { } at } => at >= now - (2 * interval) ? Fresh : Stale,
        { ErrorAt: not null } => Error,
        _ => NeverFetched,
    };
}

/// <summary>The only reader and writer of <c>bq_metadata_cache</c>. Its columns with their types are read by themselves.</summary>
internal static class MetadataStore
{
    private const int ErrorCharsMax = 512;

    private const string All = """
        SELECT table_id, source, rows, size_bytes, partition_by, clustered_by, entity_type, known_columns, refreshed_at, error_at, error_msg
        FROM bq_metadata_cache
        """;

    private const string Save = """
        INSERT INTO bq_metadata_cache (table_id, source, rows, size_bytes, partition_by, clustered_by, entity_type, known_columns, columns,
            refreshed_at, error_at, error_msg)
        VALUES (@TableId, @Source, @Rows, @SizeBytes, @PartitionBy, @ClusteredBy, @EntityType, @KnownColumns, @Columns,
            @RefreshedAt, NULL, NULL)
        ON CONFLICT (table_id) DO UPDATE SET source = excluded.source, rows = excluded.rows, size_bytes = excluded.size_bytes,
            partition_by = excluded.partition_by, clustered_by = excluded.clustered_by, entity_type = excluded.entity_type,
            known_columns = excluded.known_columns, columns = excluded.columns, refreshed_at = excluded.refreshed_at, error_at = NULL,
            error_msg = NULL
        """;

    /// <summary>What was known stays.</summary>
    private const string KeepWithError =
        "UPDATE bq_metadata_cache SET error_at = @now, error_msg = @error WHERE table_id = @id AND source = @source RETURNING table_id";

    private const string Drop = "DELETE FROM bq_metadata_cache WHERE table_id = @id";

    private const string AddError =
        "INSERT INTO bq_metadata_cache (table_id, source, error_at, error_msg) VALUES (@id, @source, @now, @error)";

    private const string Columns =
        "SELECT columns FROM bq_metadata_cache WHERE table_id = @id AND source = @source AND columns IS NOT NULL";

    public static Task<IReadOnlyList<TableMetadata>> AllAsync(StateDb state, CancellationToken stop) =>
        state.ReadAsync<TableMetadata>(All, cancellation: stop);

    /// <returns>Null: the source has never said them.</returns>
    public static async Task<IReadOnlyList<TableColumn>?> ColumnsAsync(StateDb state, string id, string source, CancellationToken stop) =>
        await state.ReadAsync<string>(Columns, new { id, source }, stop) is [{ } json, ..] ? StateJson.ReadColumns(json) : null;

    public static Task SaveAsync(StateWrite write, TableMetadata known, IReadOnlyList<TableColumn> columns) => write.ExecuteAsync(
        Save,
        new
        {
            known.TableId,
            known.Source,
            known.Rows,
            known.SizeBytes,
            known.PartitionBy,
            known.ClusteredBy,
            known.EntityType,
            known.KnownColumns,
            Columns = StateJson.WriteColumns(columns),
            known.RefreshedAt,
        });

    public static async Task FailAsync(StateWrite write, string id, string source, string error)
    {
        var said = error.Length > ErrorCharsMax ? error[..ErrorCharsMax] : error;
        var what = new { id, source, now = write.Now, error = said };
        if ((await write.QueryAsync<string>(KeepWithError, what)).Count > 0) return;
        await DropAsync(write, id); // of another source
        await write.ExecuteAsync(AddError, what);
    }

    public static Task DropAsync(StateWrite write, string id) => write.ExecuteAsync(Drop, new { id });
}

/// <summary>What a source said of a table ends with it.</summary>
internal sealed class MetadataBelonging : IBelonging
{
    public string Name => "what sources say of tables";

    public Task EndTableAsync(StateWrite write, string id) => MetadataStore.DropAsync(write, id);
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class MetadataJson : JsonSerializerContext;
