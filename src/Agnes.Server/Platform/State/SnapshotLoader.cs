using System.Data;
using System.Data.Common;
using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Engine.Limits;
using Agnes.Engine.Publishing;
using Agnes.Protocol;
using Dapper;

namespace Agnes.Server.Platform.State;

/// <summary>Reads every column of the tables that the snapshot holds: at the start, and when another process wrote. The cost grows with their rows.</summary>
internal static class SnapshotLoader
{
    /// <param name="transaction">The one to read in; without it the read begins its own, so that all tables are of one moment.</param>
    public static async Task<Snapshot> LoadAsync(DbConnection connection, CancellationToken cancellation, DbTransaction? transaction = null)
    {
        if (transaction is not null) return await ReadAsync(connection, transaction, cancellation);
        await using var own = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        var snapshot = await ReadAsync(connection, own, cancellation);
        await own.CommitAsync(cancellation);
        return snapshot;
    }

    private static async Task<Snapshot> ReadAsync(DbConnection connection, DbTransaction transaction, CancellationToken cancellation)
    {
        async Task<List<T>> Rows<T>(string sql) => (await connection.QueryAsync<T>(new(sql, null, transaction, cancellationToken: cancellation))).AsList();

        var version = await connection.ExecuteScalarAsync<long>(new(StateVersion.SelectSql, null, transaction, cancellationToken: cancellation));
        var snapshot = Snapshot.Empty;
        try
        {
            foreach (var row in await Rows<UserRow>("SELECT * FROM users")) snapshot = snapshot.WithUser(row);
            foreach (var row in await Rows<GroupRow>("SELECT * FROM user_groups")) snapshot = snapshot.WithGroup(row);
            foreach (var row in await Rows<MembershipRow>("SELECT * FROM user_group_members ORDER BY added_at, source")) snapshot = snapshot.WithMembership(row);
            foreach (var row in await Rows<GrantRow>("SELECT * FROM resource_grants")) snapshot = snapshot.WithGrant(row);
            foreach (var row in await Rows<TokenRow>("SELECT * FROM personal_access_tokens")) snapshot = snapshot.WithToken(row);
            foreach (var row in await Rows<EndedSession>("SELECT id, expires_at FROM sessions WHERE ended_at IS NOT NULL")) snapshot = snapshot.WithEndedSession(row);
            foreach (var row in await Rows<TableRow>("SELECT * FROM table_registry")) snapshot = snapshot.WithTable(row);
            foreach (var row in await Rows<ConnectionRow>("SELECT * FROM source_connections")) snapshot = snapshot.WithConnection(row);
            foreach (var row in await Rows<SyncStateRow>("SELECT * FROM sync_state")) snapshot = snapshot.WithSyncState(row);
            foreach (var row in await Rows<TablePullRow>("SELECT * FROM table_pulls")) snapshot = snapshot.WithPull(row);
            foreach (var row in await Rows<ViewOwnerRow>("SELECT * FROM view_ownership")) snapshot = snapshot.WithViewOwner(row);
            foreach (var row in await Rows<SchemaDriftRow>("SELECT * FROM schema_drifts")) snapshot = snapshot.WithSchemaDrift(row);
            foreach (var row in await Rows<EventTailRow>("SELECT * FROM event_tails")) snapshot = snapshot.WithTail(row);
            var parts = (await Rows<PartRow>("SELECT * FROM version_parts ORDER BY name, number, ordinal")).ToLookup(part => (part.Name, part.Number));
            foreach (var row in await Rows<VersionRow>("SELECT * FROM table_versions ORDER BY name, number")) snapshot = snapshot.WithVersion(row.With([.. parts[(row.Name, row.Number)]]));
        }
        catch (Exception error) when (error is StateConflictException or JsonException)
        {
            throw new StateRefusedException($"The state contradicts itself: {error.Message}", error);
        }
        return snapshot.WithChangedDefinitions().Committed(Snapshot.Empty, version); // nobody knows whether they are what they were
    }

    private sealed record PartRow
    {
        public required string Name { get; init; }
        public long Number { get; init; }
        public required string PartName { get; init; }
        public required string Sha256 { get; init; }
        public long SizeBytes { get; init; }
        public long Rows { get; init; }

        public TablePart Part => new(PartName, Sha256, SizeBytes, Rows);
    }

    private sealed record VersionRow
    {
        public required string Name { get; init; }
        public long Number { get; init; }
        public required string Source { get; init; }
        public string? Description { get; init; }
        public required string Columns { get; init; }
        public long Rows { get; init; }
        public long Bytes { get; init; }
        public required string Rendition { get; init; }
        public string? Md5 { get; init; }
        public required string PartsDigest { get; init; }
        public string? Origin { get; init; }
        public required string QueryMode { get; init; }
        public DateTime ExtractedAt { get; init; }
        public DateTime PublishedAt { get; init; }
        public DateTime? SupersededAt { get; init; }
        public string? WholeSha256 { get; init; }
        public string? WholeMd5 { get; init; }
        public long WholeSizeBytes { get; init; }
        public DateTime? WholeMadeAt { get; init; }
        public string? InsteadOf { get; init; }

        public PublishedVersion With(IReadOnlyCollection<PartRow> parts) => new()
        {
            Name = Name,
            Number = Number,
            Source = Source,
            Description = Description,
            Columns = StateJson.ReadColumns(Columns),
            Rows = Rows,
            Bytes = Bytes,
            Rendition = Rendition,
            Parts = [.. parts.Select(part => part.Part)],
            Origin = Origin,
            Md5 = Md5,
            PartsDigest = PartsDigest,
            QueryMode = QueryMode,
            ExtractedAt = ExtractedAt,
            PublishedAt = PublishedAt,
            SupersededAt = SupersededAt,
            Whole = WholeSha256 is null || WholeMd5 is null ? null : new WholeFile(WholeSha256, WholeMd5, WholeSizeBytes, Rows),
            WholeMadeAt = WholeMadeAt,
            InsteadOf = InsteadOf,
        };
    }
}

/// <summary>What the state keeps as JSON text.</summary>
public static class StateJson
{
    /// <summary>For <c>table_versions.columns</c>.</summary>
    public static string WriteColumns(IReadOnlyList<TableColumn> columns) => JsonSerializer.Serialize(columns, StateJsonContext.Default.IReadOnlyListTableColumn);

    public static IReadOnlyList<TableColumn> ReadColumns(string json) => JsonSerializer.Deserialize(json, StateJsonContext.Default.IReadOnlyListTableColumn) ?? [];
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IReadOnlyList<TableColumn>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
internal sealed partial class StateJsonContext : JsonSerializerContext;
