using System.Globalization;
using Agnes.Engine.Extracts;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <param name="Cells">Null while no value was seen: any type will do.</param>
/// <param name="IsVague">The sample leaves it open which of several types it is; all of the file must be looked at.</param>
/// <param name="Remark">What a person should know; null mostly.</param>
internal sealed record ColumnType(CellType? Cells, bool IsVague = false, string? Remark = null);

/// <summary>
/// Finds for each column of a delimited file the type that loses nothing. The engine's sniffer says what to try first; it alone is not believed, since it takes
/// 01220 for 1220, Yes for true and 11/6/18 for a day in 2011.
/// </summary>
/// <param name="formats">Of dates, by column, as the table's files had them before.</param>
internal sealed class ColumnTypes(FileSettings settings, IReadOnlyDictionary<string, string> formats)
{
    /// <summary>Aggregates of one statement; a table of a thousand columns takes several.</summary>
    private const int TestsMax = 600;

    private const int DecimalDigitsMax = 38;

    private static readonly (string Format, string Shape)[] Days =
    [
        ("%Y/%m/%d", "[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"), ("%d/%m/%Y", "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"), ("%m/%d/%Y", "[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}"),
        ("%d-%m-%Y", "[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}"), ("%m-%d-%Y", "[0-9]{1,2}-[0-9]{1,2}-[0-9]{4}"),
        ("%d.%m.%Y", @"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"), ("%m.%d.%Y", @"[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}"),
    ];

    private static readonly (string Format, string Shape)[] Clocks =
    [
        ("%H:%M:%S", "[0-9]{1,2}:[0-9]{2}:[0-9]{2}"), ("%H:%M", "[0-9]{1,2}:[0-9]{2}"),
        ("%I:%M:%S %p", "[0-9]{1,2}:[0-9]{2}:[0-9]{2} [AaPp][Mm]"), ("%I:%M %p", "[0-9]{1,2}:[0-9]{2} [AaPp][Mm]"),
    ];

    private static readonly CellType[] Dates = [.. Days.Select(day => CellType.Date(day.Format, day.Shape))];

    private static readonly CellType[] Timestamps =
        [.. Days.SelectMany(day => Clocks.Select(clock => CellType.Timestamp($"{day.Format} {clock.Format}", $"{day.Shape} {clock.Shape}")))];

    /// <param name="relation">What follows FROM and yields the columns as text, called <c>x0</c>, <c>x1</c> and so on.</param>
    /// <param name="sniffed">The sniffer's name of each column's type, and the column's own name.</param>
    /// <param name="isWhole">The relation is all of the file, not a sample of it.</param>
    public async Task<IReadOnlyList<ColumnType>> FindAsync(
        DuckDBConnection connection, string relation, IReadOnlyList<(string Name, string Type)> sniffed, bool isWhole, CancellationToken cancellation)
    {
        var first = sniffed.Select(column => First(column.Name, column.Type)).ToList();
        var held = await TestAsync(connection, relation, first, cancellation);
        var found = first.Select((candidates, index) => settings.TypeOf(sniffed[index].Name) ?? Choose(candidates, held[index])).ToList();

        // Only where the usual forms failed: days and times in other orders, and decimals with many digits.
        var second = sniffed.Select((column, index) => found[index] is null && held[index].HasValues ? Second(column.Type) : []).ToList();
        var heldThen = second.Any(candidates => candidates.Count > 0) ? await TestAsync(connection, relation, second, cancellation) : [.. second.Select(_ => Held.Nothing)];
        var scales = await ScalesAsync(connection, relation, sniffed, found, held, cancellation);
        return [.. sniffed.Select((column, index) => Decide(column, found[index], held[index].HasValues, second[index], heldThen[index], scales.GetValueOrDefault(index), isWhole))];
    }

    private ColumnType Decide((string Name, string Type) column, CellType? found, bool hasValues, IReadOnlyList<CellType> second, Held held, CellType? exact, bool isWhole)
    {
        if (!hasValues) return new ColumnType(null);
        if (found is not null) return new ColumnType(found);
        if (exact is not null) return new ColumnType(exact);
        var sniffed = column.Type;
        if (sniffed is not ("DATE" or "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE")) return new ColumnType(CellType.Text);
        var possible = second.Where((_, index) => held.Of(index)).ToList();
        if (possible is [var only]) return new ColumnType(only);
        if (possible.Count > 1 && formats.TryGetValue(column.Name, out var usual) && possible.FirstOrDefault(type => type.Format == usual) is { } same) return new ColumnType(same);
        return new ColumnType(CellType.Text, IsVague: possible.Count > 1 && !isWhole,
            Remark: $"its dates can be read in more than one way and are kept as text; set {(sniffed == "DATE" ? "date_format" : "timestamp_format")} to have them read");
    }

    private List<CellType> First(string name, string sniffed)
    {
        if (settings.TypeOf(name) is not null) return [];
        List<CellType> candidates = [];
        if (settings.DateFormat is { } date) candidates.Add(CellType.Date(date));
        if (settings.TimestampFormat is { } timestamp) candidates.Add(CellType.Timestamp(timestamp));
        var any = settings.ChangesCells && sniffed == "VARCHAR";
        if (sniffed == "BOOLEAN" || any) candidates.Add(CellType.Boolean);
        if (sniffed is "BIGINT" or "DOUBLE" or "BOOLEAN" || any)
            candidates.AddRange(Numbers([CellType.Integer, CellType.Huge, CellType.Double]));
        if (sniffed == "DATE" || any) candidates.Add(CellType.IsoDate);
        if (sniffed is "DATE" or "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE" || any) candidates.AddRange([CellType.IsoTimestamp, CellType.IsoInstant]);
        if (sniffed == "TIME" || any) candidates.Add(CellType.TimeOfDay);
        return candidates;
    }

    private static IReadOnlyList<CellType> Second(string sniffed) => sniffed switch
    {
        "DATE" => Dates,
        "TIMESTAMP" or "TIMESTAMP WITH TIME ZONE" => Timestamps,
        _ => [],
    };

    private IEnumerable<CellType> Numbers(IEnumerable<CellType> types) =>
        settings.DecimalMark is { } mark ? types.Select(type => type.WithMarks(mark, settings.Thousands)) : types;

    /// <summary>The first that holds every value.</summary>
    private static CellType? Choose(IReadOnlyList<CellType> candidates, Held held)
    {
        for (var index = 0; index < candidates.Count; index++)
            if (held.Of(index)) return candidates[index];
        return null;
    }

    private static async Task<IReadOnlyList<Held>> TestAsync(DuckDBConnection connection, string relation, IReadOnlyList<IReadOnlyList<CellType>> candidates, CancellationToken cancellation)
    {
        var held = new Held[candidates.Count];
        for (var start = 0; start < candidates.Count;)
        {
            var (end, tests) = (start, new List<string>());
            while (end < candidates.Count && (end == start || tests.Count + candidates[end].Count < TestsMax))
            {
                tests.Add($"count(x{end})");
                foreach (var type in candidates[end]) tests.Add($"coalesce(bool_and({type.Test($"x{end}")}), true)");
                end++;
            }
            var answer = (await connection.QueryAsync($"SELECT {string.Join(", ", tests)} FROM {relation}",
                row => Enumerable.Range(0, tests.Count).Select(row.GetValue).ToArray(), cancellation))[0];
            var at = 0;
            for (; start < end; start++)
            {
                var count = Convert.ToInt64(answer[at++], CultureInfo.InvariantCulture);
                held[start] = new Held(count > 0, [.. candidates[start].Select(_ => (bool)answer[at++])]);
            }
        }
        return held;
    }

    /// <summary>For columns of numbers that no other type keeps: as many digits after the point as there are.</summary>
    private async Task<Dictionary<int, CellType>> ScalesAsync(
        DuckDBConnection connection, string relation, IReadOnlyList<(string Name, string Type)> sniffed, List<CellType?> found, IReadOnlyList<Held> held, CancellationToken cancellation)
    {
        var open = Enumerable.Range(0, sniffed.Count)
            .Where(index => found[index] is null && held[index].HasValues && sniffed[index].Type == "DOUBLE" && settings.TypeOf(sniffed[index].Name) is null && settings.DecimalMark is null).ToList();
        if (open.Count == 0) return [];
        var lengths = open.Select(index => $"coalesce(max(CASE WHEN contains(x{index}, '.') THEN strlen(x{index}) - instr(x{index}, '.') ELSE 0 END), 0)");
        var scales = (await connection.QueryAsync($"SELECT {string.Join(", ", lengths)} FROM {relation}",
            row => open.Select((_, at) => Convert.ToInt64(row.GetValue(at), CultureInfo.InvariantCulture)).ToArray(), cancellation))[0];
        var candidates = sniffed.Select((_, index) => open.IndexOf(index) is >= 0 and var at && scales[at] < DecimalDigitsMax ? (IReadOnlyList<CellType>)[CellType.Decimal((int)scales[at])] : []).ToList();
        var answers = await TestAsync(connection, relation, candidates, cancellation);
        return open.Where(index => candidates[index].Count > 0 && answers[index].Of(0)).ToDictionary(index => index, index => candidates[index][0]);
    }

    /// <param name="HasValues">Not all are NULL.</param>
    private sealed record Held(bool HasValues, IReadOnlyList<bool> Tests)
    {
        public static readonly Held Nothing = new(false, []);

        public bool Of(int index) => Tests[index];
    }
}
