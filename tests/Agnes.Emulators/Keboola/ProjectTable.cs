using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Emulators.Keboola;

/// <summary>A table of the project: rows of text, each with the time at which it was imported, and what is said of its columns.</summary>
public sealed class ProjectTable
{
    private readonly Lock _gate = new();
    private readonly List<Row> _rows = [];
    private readonly List<(string Column, string Provider, string Key, string Value)> _metadata = [];

    public ProjectTable(string id, IReadOnlyList<string> columns, params string[] primaryKey)
    {
        (Id, Columns, PrimaryKey) = (id, columns, primaryKey);
        var cut = id.LastIndexOf('.');
        (BucketId, Name) = (id[..cut], id[(cut + 1)..]);
    }

    public string Id { get; }

    public string Name { get; }

    public string BucketId { get; }

    public IReadOnlyList<string> Columns { get; set; }

    public IReadOnlyList<string> PrimaryKey { get; }

    /// <summary>Of a table without rows of its own, what it says it had.</summary>
    public long? RowsSaid { get; init; }

    /// <summary>
    /// Of a table too large to be kept: makes the rows that were imported from a time on and before another (Unix seconds; null: no bound).
    /// Rows of <see cref="Import"/> come besides; one with the key of a made row replaces it only in exports that don't reach back to that.
    /// </summary>
    public Func<double?, double?, IEnumerable<string?[]>>? Made { get; init; }

    /// <summary>An alias says what its source says of columns.</summary>
    public bool IsAlias { get; init; }

    /// <summary>Types that the table has in the project's own database, by column.</summary>
    public Dictionary<string, string> Definition { get; } = new(StringComparer.Ordinal);

    public long RowCount
    {
        get
        {
            lock (_gate) return RowsSaid ?? _rows.Count;
        }
    }

    public void Describe(string column, string key, string value, string provider = "user")
    {
        lock (_gate) _metadata.Add((column, provider, key, value));
    }

    /// <summary>An incremental import: rows replace those of their key, and bear the time of the import.</summary>
    public void Import(DateTimeOffset at, params IEnumerable<string?[]> rows)
    {
        lock (_gate)
        {
            var byKey = PrimaryKey.Count == 0
                ? null : _rows.Index().ToDictionary(row => KeyOf(row.Item.Cells), row => row.Index, StringComparer.Ordinal);
            foreach (var cells in rows)
            {
                var row = new Row(cells, at.ToUnixTimeMilliseconds() / 1000.0);
                if (byKey is not null && byKey.TryGetValue(KeyOf(cells), out var index)) _rows[index] = row;
                else
                {
                    if (byKey is not null) byKey[KeyOf(cells)] = _rows.Count;
                    _rows.Add(row);
                }
            }
        }
    }

    /// <summary>Rows go, and nothing that an export by time could show says so.</summary>
    public void Delete(Func<string?[], bool> which)
    {
        lock (_gate) _rows.RemoveAll(row => which(row.Cells));
    }

    public IReadOnlyList<string?[]> Rows
    {
        get
        {
            lock (_gate) return [.. _rows.Select(row => row.Cells)];
        }
    }

    /// <summary>What an export of these conditions holds now.</summary>
    internal List<string?[]> Select(ExportRequest asked)
    {
        lock (_gate)
        {
            var kept = _rows.Where(row =>
                (asked.Since is not { } since || row.Imported >= since) && (asked.Until is not { } until || row.Imported < until));
            var found = (Made?.Invoke(asked.Since, asked.Until) ?? []).Concat(kept.Select(row => row.Cells))
                .Where(cells => asked.Filters.All(filter => filter.Holds(cells[Index(filter.Column)])));
            if (asked.Limit is { } limit) found = found.Take((int)limit);
            var wanted = asked.Columns.Select(Index).ToArray();
            return [.. found.Select(cells => wanted.Select(index => cells[index]).ToArray())];
        }
    }

    public JsonObject ToJson(bool isListed)
    {
        lock (_gate)
        {
            var json = new JsonObject
            {
                ["uri"] = $"https://connection.example.com/v2/storage/tables/{Id}",
                ["id"] = Id,
                ["name"] = Name,
                ["displayName"] = Name,
                ["primaryKey"] = Texts(PrimaryKey),
                ["created"] = "2026-01-05T09:00:00+0100",
                ["lastImportDate"] = "2026-11-01T09:00:00+0100",
                ["lastChangeDate"] = "2026-11-01T09:00:00+0100",
                ["rowsCount"] = RowsSaid ?? _rows.Count,
                ["dataSizeBytes"] = (RowsSaid ?? _rows.Count) * 64,
                ["isAlias"] = IsAlias,
                ["isTyped"] = Definition.Count > 0,
                ["columns"] = Texts(Columns),
                ["bucket"] = new JsonObject
                {
                    ["id"] = BucketId,
                    ["name"] = BucketId[(BucketId.IndexOf('.', StringComparison.Ordinal) + 1)..],
                    ["stage"] = Id[..Id.IndexOf('.', StringComparison.Ordinal)]
                },
            };
            if (isListed) return json;
            json["columnMetadata"] = IsAlias ? new JsonArray() : Metadata(); // PHP has one word for an empty list and an empty object
            if (IsAlias) json["sourceTable"] = new JsonObject { ["id"] = $"{Id}-source", ["columnMetadata"] = Metadata() };
            if (Definition.Count > 0)
            {
                json["definition"] = new JsonObject
                {
                    ["primaryKeysNames"] = Texts(PrimaryKey),
                    ["columns"] = new JsonArray([.. Columns.Select(column => (JsonNode)new JsonObject
                    {
                        ["name"] = column,
                        ["definition"] = new JsonObject { ["type"] = Definition.GetValueOrDefault(column, "VARCHAR"), ["nullable"] = true },
                        ["basetype"] = Definition.GetValueOrDefault(column, "STRING"),
                    })]),
                };
            }

            return json;
        }
    }

    private JsonNode Metadata()
    {
        if (_metadata.Count == 0) return new JsonArray();
        return new JsonObject(_metadata.GroupBy(entry => entry.Column).Select(column => KeyValuePair.Create(
            column.Key, (JsonNode?)new JsonArray([.. column.Index().Select(entry => (JsonNode)new JsonObject
            {
                ["id"] = $"{entry.Index + 1}",
                ["provider"] = entry.Item.Provider,
                ["key"] = entry.Item.Key,
                ["value"] = entry.Item.Value,
                ["timestamp"] = "2026-01-05T09:00:00+0100",
            })]))));
    }

    private int Index(string column) => Columns.Index().First(one => one.Item == column).Index;

    private string KeyOf(string?[] cells) => string.Join('\u001f', PrimaryKey.Select(key => cells[Index(key)]));

    internal static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);

    private sealed record Row(string?[] Cells, double Imported);
}

/// <summary>What an export asks for.</summary>
internal sealed record ExportRequest(IReadOnlyList<string> Columns, IReadOnlyList<ExportFilter> Filters, double? Since, double? Until,
    long? Limit, bool IsParquet)
{
    public static double? TimeOf(string? text) =>
        string.IsNullOrEmpty(text) ? null
        : double.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) ? seconds
        : DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).ToUnixTimeSeconds();
}

internal sealed record ExportFilter(string Column, string Operator, IReadOnlyList<string> Values)
{
    public bool Holds(string? cell) => Operator switch
    {
        "ne" => !Values.Contains(cell ?? "", StringComparer.Ordinal),
        "gt" => string.CompareOrdinal(cell, Values[0]) > 0,
        "ge" => string.CompareOrdinal(cell, Values[0]) >= 0,
        "lt" => string.CompareOrdinal(cell, Values[0]) < 0,
        "le" => string.CompareOrdinal(cell, Values[0]) <= 0,
        _ => Values.Contains(cell ?? "", StringComparer.Ordinal),
    };
}
