using System.Text.Json;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Protocol;

namespace Agnes.Connectors.Keboola;

/// <summary>What the rows of a table are made of, from its settings and from what the project says of it now.</summary>
internal sealed record PullShape(TableSettings Settings, IReadOnlyList<KeboolaColumn> Columns, IReadOnlyList<string> Keys)
{
    private bool AreKeysTheProjects { get; init; }

    /// <summary>Where it is another than before, rows of before and of now do not go together.</summary>
    public string Hash { get; private init; } = "";

    /// <summary>That the project says the table has; null where it does not.</summary>
    public long? RowsThere { get; private init; }

    public IReadOnlyList<TableColumn> Stored { get; } = [.. Columns.Select(column => column.Stored)];

    public IReadOnlyList<KeboolaColumn> KeyColumns => [.. Keys.Select(key => Columns.First(column => column.Name == key))];

    /// <summary>Rows go into one part in the order in which they come: nothing is to be sorted apart, and no two have one key.</summary>
    public bool IsWrittenAsItIs => Partition is null && (Settings.IsWhole || Keys.Count == 0 || AreKeysTheProjects);

    /// <summary>SQL of the partition that a row belongs to; null: there is one.</summary>
    public string? Partition
    {
        get
        {
            if (!Settings.IsPartitioned) return null;
            var format = Settings.Granularity switch { "day" => "%Y_%m_%d", "year" => "%Y", _ => "%Y_%m" };
            return $"strftime(TRY_CAST({SqlText.Identifier(Settings.PartitionBy!)} AS TIMESTAMP), '{format}')";
        }
    }

    /// <exception cref="TableException">A column that the settings name is not there.</exception>
    public static PullShape Of(TableSettings settings, StorageTable there)
    {
        var wanted = settings.Columns.Count > 0 ? settings.Columns : there.Columns;
        if (wanted.Count == 0) throw new TableException($"Keboola says no column of {there.Id}.");
        foreach (var column in wanted) Existing(column, there.Columns, "columns");
        if (wanted.GroupBy(name => name, StringComparer.OrdinalIgnoreCase).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new TableException($"Two columns are called '{twice.Key}', as far as this server can tell: case does not count.");
        List<KeboolaColumn> columns =
            [.. wanted.Select(name => new KeboolaColumn(name, KeboolaType.Of(there.Types.GetValueOrDefault(name))))];
        var own = there.PrimaryKey.All(key => wanted.Contains(key, StringComparer.Ordinal)) ? there.PrimaryKey : [];
        IReadOnlyList<string> keys = settings.Keys.Count > 0 ? [.. settings.Keys.Select(key => Existing(key, wanted, "primary_key"))] : own;
        if (settings.IsPartitioned)
        {
            var by = Existing(settings.PartitionBy!, wanted, "partition_by");
            settings = settings with { PartitionBy = by };
            if (columns.First(column => column.Name == by).Type.Name is "BIGINT" or "DOUBLE" or "BOOLEAN")
                throw new TableException($"partition_by names '{by}', which holds no dates.");
        }

        var shape = new PullShape(settings, columns, keys)
        {
            RowsThere = there.Rows,
            AreKeysTheProjects = own.Count > 0 && own.ToHashSet(StringComparer.Ordinal).SetEquals(keys),
        };
        return shape with { Hash = HashOf(shape) };
    }

    /// <summary>Whether a run can go on from rows of before, instead of reading the table whole.</summary>
    public bool GoesOn(ExtractTable? previous, PullCursor? cursor) => cursor is not null && cursor.Shape == Hash && previous!.Columns.SequenceEqual(Stored);

    private static string HashOf(PullShape shape)
    {
        var how = shape.Settings;
        var filter = JsonSerializer.Serialize(how.Filter, StorageJson.Default.ExportMessage);
        return PullJson.HashOf(string.Join(
            '\n',
            [
                how.SourceId, how.Strategy, how.PartitionBy ?? "", how.Granularity, $"{how.HistoryDays} {how.ChunkDays}", filter,
                string.Join('\u001f', shape.Keys),
                .. shape.Columns.Select(column => $"{column.Name}\u001f{column.Type.Name}"),
            ]));
    }

    private static string Existing(string name, IReadOnlyList<string> columns, string setting) =>
        columns.FirstOrDefault(column => string.Equals(column, name, StringComparison.Ordinal))
        ?? columns.FirstOrDefault(column => string.Equals(column, name, StringComparison.OrdinalIgnoreCase))
        ?? throw new TableException($"{setting} names '{name}', and the table in Keboola has no such column.");
}
