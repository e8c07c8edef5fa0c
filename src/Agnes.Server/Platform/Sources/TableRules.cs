using Agnes.Engine.Publishing;
using Agnes.Protocol;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Sources;

/// <summary>A rule that a registration breaks.</summary>
/// <param name="Field">Null where several fields together are at fault.</param>
/// <param name="Status">422, or 400 for names that the source itself would not take.</param>
internal sealed record RuleViolation(string? Field, string Message, int Status = StatusCodes.Status422UnprocessableEntity);

/// <summary>What a row of the registry has to satisfy, whichever way it is written: register, precheck, update.</summary>
internal static class TableRules
{
    public const string ModeLocal = "local";
    public const string ModeRemote = "remote";
    public const string ModeMaterialized = "materialized";
    public const string StrategyFullRefresh = "full_refresh";
    public const string StrategyIncremental = "incremental";
    public const string StrategyPartitioned = "partitioned";

    private const int TextCharsMax = 10_000;
    private const int NameCharsMax = 255;

    /// <summary>A type for each of a thousand columns.</summary>
    private const int SettingsCharsMax = 100_000;
    private static readonly string[] Strategies = [StrategyFullRefresh, StrategyIncremental, StrategyPartitioned];
    private static readonly string[] Granularities = ["day", "month", "year"];

    /// <summary>The registry's id of a name.</summary>
    public static string IdOf(string name) => name.Trim().ToLowerInvariant().Replace(' ', '_');

    /// <summary>Fills in what follows from the rest: a partitioned table is cut by month unless it says otherwise, and what the kind of source says.</summary>
    public static TableRow Complete(TableRow row, SourceKind? kind)
    {
        row = kind?.Complete(row) ?? row;
        if (kind is not null && (row.Connection == kind.Name || kind.Aliases.Contains(row.Connection, StringComparer.Ordinal))) row = row with { Connection = null };
        var strategy = string.IsNullOrEmpty(row.SyncStrategy) ? StrategyFullRefresh : row.SyncStrategy;
        return row with
        {
            SyncStrategy = strategy,
            PartitionGranularity = strategy == StrategyPartitioned ? row.PartitionGranularity ?? "month" : row.PartitionGranularity,
            SourceQuery = row.QueryMode == ModeMaterialized ? row.SourceQuery : null,
            SchemaContract = row.SchemaContract == SchemaContract.Evolve ? null : row.SchemaContract,
        };
    }

    /// <summary>The first rule that a whole row breaks, or null.</summary>
    public static RuleViolation? Check(TableRow row, SourceKind? kind) =>
        CheckName(row) ?? CheckWords(row) ?? CheckMode(row, kind) ?? CheckStrategy(row) ?? CheckNumbers(row) ?? CheckTexts(row);

    private static RuleViolation? CheckName(TableRow row)
    {
        if (string.IsNullOrWhiteSpace(row.Name)) return new("name", "Table name cannot be empty");
        return Identifiers.IsStrict(row.Name)
            ? null
            : new("name", $"Table name '{Shorten(row.Name)}' must match [a-zA-Z_][a-zA-Z0-9_]{{0,63}}", StatusCodes.Status400BadRequest);
    }

    private static RuleViolation? CheckWords(TableRow row)
    {
        if (row.SyncSchedule is { } schedule && !SyncSchedule.IsValid(schedule))
            return new("sync_schedule", $"Invalid sync_schedule '{Shorten(schedule)}': use 'every 15m', 'every 2h', 'daily 07:00,13:00' (UTC) or 'cron 0 3 * * 1-5 @ Europe/Prague'");
        if (!Strategies.Contains(row.SyncStrategy, StringComparer.Ordinal))
            return new("sync_strategy", $"sync_strategy must be one of {string.Join(", ", Strategies)}");
        if (row.PartitionGranularity is { } granularity && !Granularities.Contains(granularity, StringComparer.Ordinal))
            return new("partition_granularity", $"partition_granularity must be one of {string.Join(", ", Granularities)}");
        if (row.SchemaContract is { } contract && !SchemaContract.All.Contains(contract, StringComparer.Ordinal))
            return new("schema_contract", $"schema_contract must be one of {string.Join(", ", SchemaContract.All)}");
        if (row is { SchemaContract: not null, QueryMode: ModeRemote })
            return new("schema_contract", "schema_contract cannot be used with query_mode 'remote': the table stays at its source, as it is there");
        return null;
    }

    private static RuleViolation? CheckMode(TableRow row, SourceKind? kind)
    {
        if (row.QueryMode is not (ModeLocal or ModeRemote or ModeMaterialized))
            return new("query_mode", "query_mode must be one of local, remote, materialized");
        if (kind is not null && !kind.Modes.Contains(row.QueryMode, StringComparer.Ordinal))
            return new(null, $"query_mode '{row.QueryMode}' does not go with source_type '{kind.Name}'; use {string.Join(" or ", kind.Modes)}");
        if (row.SyncSchedule == SyncSchedule.OnChange && kind is not { IsDerived: true })
            return new("sync_schedule", $"sync_schedule '{SyncSchedule.OnChange}' is for tables that are queries over others");
        if (row.QueryMode == ModeMaterialized && row.SourceQuery is null && kind is not { MaterializesWhole: true })
            return new(null, "query_mode 'materialized' needs source_query");
        return kind?.Check(row);
    }

    private static RuleViolation? CheckStrategy(TableRow row)
    {
        if (row.WhereFilters is not null && row.QueryMode == ModeRemote) return new(null, "where_filters cannot be used with query_mode 'remote'");
        switch (row.SyncStrategy)
        {
            case StrategyIncremental when row.WhereFilters is not null:
                return new(null, "where_filters cannot be used with sync_strategy 'incremental'");
            case StrategyPartitioned when string.IsNullOrWhiteSpace(row.PartitionBy):
                return new(null, "sync_strategy 'partitioned' needs partition_by");
            case StrategyPartitioned when row.QueryMode == ModeRemote:
                return new(null, "sync_strategy 'partitioned' cannot be used with query_mode 'remote'");
            case StrategyPartitioned when row.WhereFilters is not null:
                return new(null, "where_filters cannot be used with sync_strategy 'partitioned'");
            default:
                return null;
        }
    }

    private static RuleViolation? CheckNumbers(TableRow row)
    {
        var numbers = new (string Field, int? Value)[]
        {
            ("incremental_window_days", row.IncrementalWindowDays),
            ("max_history_days", row.MaxHistoryDays),
            ("initial_load_chunk_days", row.InitialLoadChunkDays),
        };
        return numbers.Where(n => n.Value < 0).Select(n => new RuleViolation(n.Field, $"{n.Field} must not be negative")).FirstOrDefault();
    }

    private static RuleViolation? CheckTexts(TableRow row)
    {
        var texts = new (string Field, string? Value, int CharsMax)[]
        {
            ("bucket", row.Bucket, NameCharsMax), ("source_table", row.SourceTable, NameCharsMax), ("folder", row.Folder, NameCharsMax),
            ("incremental_column", row.IncrementalColumn, NameCharsMax), ("partition_by", row.PartitionBy, NameCharsMax),
            ("primary_key", row.PrimaryKey, TextCharsMax), ("where_filters", row.WhereFilters, TextCharsMax),
            ("description", row.Description, TextCharsMax), ("settings", row.Settings, SettingsCharsMax), ("source_query", row.SourceQuery, TextCharsMax),
        };
        foreach (var (field, value, charsMax) in texts)
        {
            if (value is null) continue;
            if (value.Length > charsMax) return new(field, $"{field} is longer than {charsMax} characters");
            if (value.Contains('\0', StringComparison.Ordinal)) return new(field, $"{field} must not contain a NUL character");
        }
        return null;
    }

    internal static string Shorten(string text) => text.Length <= 80 ? text : $"{text[..80]}…";
}
