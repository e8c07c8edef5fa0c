using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Connectors.Databases;

/// <summary>How a table is pulled: what is registered, and what the database says of it now.</summary>
/// <param name="Keys">By which rows are told apart; empty where that is not needed.</param>
/// <param name="By">The column that says how far was read; null: the table is read whole each time.</param>
internal sealed record PullPlan(TableSettings Settings, DatabaseTable Table, IReadOnlyList<DatabaseColumn> Keys, DatabaseColumn? By)
{
    private const char Unit = '\u001f';

    /// <summary>Rows of a part, where parts follow from the key: what one changed row has written anew.</summary>
    private const long PartRows = 250_000;

    /// <summary>Parts beyond what the rows need, before a table is laid out anew.</summary>
    private const long PartsSpare = 64;

    public IReadOnlyList<TableColumn> Stored { get; } = [.. Table.Columns.Select(column => column.Stored)];

    /// <summary>The keys are those that the database itself keeps apart.</summary>
    public bool AreKeysUnique { get; private init; }

    public PositionKind Kind => Position.KindOf(By!.Stored.Type)!.Value;

    /// <summary>No row says when it changed: the newest partitions are read anew, and take the place of what was there.</summary>
    public bool ReplacesPartitions => Settings.IsPartitioned && Keys.Count == 0;

    /// <summary>Where it is another than before, rows of before and of now do not go together.</summary>
    public string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join(
        '\n',
        [
            Settings.Schema ?? "", Settings.Table, Settings.Strategy, Settings.PartitionBy ?? "", Settings.Granularity, $"{Settings.HistoryDays}",
            By?.Stored.Name ?? "", string.Join(Unit, Keys.Select(key => key.Stored.Name)),
            .. Stored.Select(column => $"{column.Name}{Unit}{column.Type}"),
        ]))))[..32];

    /// <exception cref="TableException">What is registered does not go with the table.</exception>
    public static PullPlan Of(TableSettings settings, DatabaseTable table)
    {
        if (table.Columns.GroupBy(column => column.Stored.Name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new TableException($"Two columns are called '{twice.Key}', as far as this server can tell: case does not count.");
        if (settings.IsWhole) return new PullPlan(settings, table, [], null);
        var byPartition = settings.PartitionBy is { } partition ? Existing(partition, table, "partition_by") : null;
        if (byPartition is not null && (Position.KindOf(byPartition.Stored.Type) is null or PositionKind.Number))
            throw new TableException($"partition_by names '{byPartition.Stored.Name}', which holds no dates.");
        if (settings is { IsPartitioned: true, IncrementalColumn: null }) return new PullPlan(settings, table, [], byPartition);
        var by = Existing(settings.IncrementalColumn!, table, "incremental_column");
        if (Position.KindOf(by.Stored.Type) is null)
            throw new TableException($"incremental_column names '{by.Stored.Name}', which holds neither whole numbers nor times: it is {by.Stored.Type} here.");
        var own = table.Keys;
        var keys = settings.Keys.Count > 0 ? settings.Keys : own;
        if (keys.Count == 0)
            throw new TableException("It has no primary key, neither here nor there, so that a changed row cannot take its place: set primary_key, or sync_strategy full_refresh.");
        List<DatabaseColumn> found = [.. keys.Select(key => Existing(key, table, "primary_key"))];
        var names = found.Select(key => key.Stored.Name).ToHashSet(StringComparer.Ordinal);
        return new PullPlan(settings, table, found, by) { AreKeysUnique = own.Count > 0 && own.All(names.Contains) };
    }

    /// <summary>SQL over the columns that says which part a row belongs to; null: there is one.</summary>
    /// <param name="width">Of parts that follow from the key.</param>
    public string? Partition(long? width)
    {
        if (Settings.PartitionBy is { } by)
        {
            var name = SqlText.Identifier(Existing(by, Table, "partition_by").Stored.Name);
            var format = Settings.Granularity switch { "day" => "%Y_%m_%d", "year" => "%Y", _ => "%Y_%m" };
            // Dates without end have no place in the calendar.
            return $"CASE WHEN isfinite({name}) THEN strftime(CAST({name} AS TIMESTAMP), '{format}') ELSE CAST({name} AS VARCHAR) END";
        }

        return width is { } rows && KeyOfParts is { } key ? $"CAST({SqlText.Identifier(key)} // {rows} AS VARCHAR)" : null;
    }

    /// <summary>
    /// Where parts follow from the key: between which keys those of one part lie, both sides of zero being one part. Else each part of a
    /// table would be looked for in all of its rows.
    /// </summary>
    /// <param name="place">What <see cref="Partition"/> says of the part's rows.</param>
    public string? Narrowing(long? width, string place)
    {
        if (width is not { } rows || KeyOfParts is not { } key) return null;
        // Keys that are NULL, or at the end of all numbers.
        if (!long.TryParse(place, CultureInfo.InvariantCulture, out var part)) return null;
        var (name, start) = (SqlText.Identifier(key), (Int128)part * rows);
        return string.Create(CultureInfo.InvariantCulture, $"{name} > {start - rows} AND {name} < {start + rows}");
    }

    /// <summary>
    /// The whole number that rows are laid out by where nothing else says how: what is new or changed at one time often lies together in
    /// it. Null: there is no such key.
    /// </summary>
    public string? KeyOfParts => Settings.PartitionBy is null && Keys is [{ Stored: var key }] && Position.KindOf(key.Type) == PositionKind.Number ? key.Name : null;

    /// <param name="range">Between the smallest and the largest key.</param>
    public static long WidthOf(long rows, Int128 range) =>
        (long)Int128.Clamp(range / Math.Max(1, (rows + PartRows - 1) / PartRows), PartRows, long.MaxValue);

    /// <summary>Whether a run can go on from rows of before, instead of reading the table whole.</summary>
    public bool GoesOn(ExtractTable? previous, PullCursor? cursor) =>
        By is not null && cursor?.Since is not null && cursor.Shape == Hash && previous!.Columns.SequenceEqual(Stored) && !IsScattered(previous);

    /// <summary>Keys have come that the first layout did not foresee.</summary>
    private static bool IsScattered(ExtractTable table) => table.Parts.Count > PartsSpare + (4 * (table.Rows / PartRows));

    private static DatabaseColumn Existing(string name, DatabaseTable table, string setting) =>
        table.Columns.FirstOrDefault(column => string.Equals(column.Stored.Name, name, StringComparison.Ordinal))
        ?? table.Columns.FirstOrDefault(column => string.Equals(column.Stored.Name, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new TableException($"{setting} names '{name}', and the table there has no such column.");
}
