using Agnes.Protocol;

namespace Agnes.Connectors.Records;

/// <param name="Type">Of the engine: one of <see cref="RecordSettings.Types"/>.</param>
public sealed record RecordColumn(string Name, string Type, FieldPath Path);

/// <summary>How what any system posts becomes rows of one table.</summary>
/// <param name="Items">Where a body holds several records in a list; null: a body that is a list holds them, any other is one.</param>
/// <param name="Key">What makes two records speak of one thing; null: each is a thing of its own.</param>
/// <param name="Time">When a record was so; null, or where it says nothing: when it came.</param>
/// <param name="Deleted">What says that a thing is gone, by its value <paramref name="DeletedValue"/>; null: nothing does.</param>
public sealed record RecordSettings(
    string Table, FieldPath? Items, FieldPath? Key, FieldPath? Time, FieldPath? Deleted, string DeletedValue, IReadOnlyList<RecordColumn> Columns)
{
    public const string TableOption = "table";
    public const string ItemsOption = "items";
    public const string KeyOption = "key";
    public const string TimeOption = "time";
    public const string DeletedOption = "deleted";
    public const string ColumnsOption = "columns";

    /// <summary>The column that says which thing a row is of.</summary>
    public const string IdColumn = "_id";

    public const string TimeColumn = "_time";
    private const int ColumnsMax = 1000;

    /// <summary>What a column may be, by the names that settings know.</summary>
    public static IReadOnlyDictionary<string, string> Types { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase)
    {
        ["text"] = "VARCHAR",
        ["varchar"] = "VARCHAR",
        ["json"] = "VARCHAR",
        ["bigint"] = "BIGINT",
        ["integer"] = "BIGINT",
        ["double"] = "DOUBLE",
        ["boolean"] = "BOOLEAN",
        ["timestamp"] = "TIMESTAMP WITH TIME ZONE",
    };

    /// <summary>What is set for a connection: texts by name.</summary>
    /// <exception cref="FormatException">Something is not what it must be; the message says what to write.</exception>
    public static RecordSettings Parse(IReadOnlyDictionary<string, string> given, string connection)
    {
        var table = given.GetValueOrDefault(TableOption) is { Length: > 0 } named ? named : connection;
        if (!Identifiers.IsStrict(table)) throw new FormatException($"table: '{table}' cannot be the name of a table: a letter, then letters, digits and _.");
        var (deleted, value) = given.GetValueOrDefault(DeletedOption)?.Split('=', 2) is [var path, var is_] ? (path, is_) : (given.GetValueOrDefault(DeletedOption), "true");
        return new RecordSettings(
            table, PathOf(given, ItemsOption), PathOf(given, KeyOption), PathOf(given, TimeOption),
            string.IsNullOrWhiteSpace(deleted) ? null : PathOf(DeletedOption, deleted), value.Trim(), [.. ColumnsOf(given.GetValueOrDefault(ColumnsOption) ?? "")]);
    }

    private static FieldPath? PathOf(IReadOnlyDictionary<string, string> given, string name) =>
        given.GetValueOrDefault(name) is { } text && !string.IsNullOrWhiteSpace(text) ? PathOf(name, text) : null;

    private static FieldPath PathOf(string name, string text) =>
        FieldPath.TryParse(text) ?? throw new FormatException($"{name}: '{text.Trim()}' is no path. Write names and positions from the outside in, as in order.items[0].id");

    /// <summary>A line, or a part between semicolons, for each: <c>name type path</c>; the type may be left out, the path too where it is the name.</summary>
    private static IEnumerable<RecordColumn> ColumnsOf(string text)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { IdColumn, TimeColumn };
        var lines = text.Split((char[])['\n', ';'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (lines.Length is 0 or > ColumnsMax) throw new FormatException($"columns: one to {ColumnsMax} are needed, as in: id bigint order.id; state text order.state");
        foreach (var line in lines)
        {
            var words = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            var type = words.Length > 1 ? Types.GetValueOrDefault(words[1]) : "VARCHAR";
            if (words.Length > 3 || type is null)
                throw new FormatException($"columns: '{line}' is none. Write: name type path, where the type is one of {string.Join(", ", Types.Keys)}");
            if (!Identifiers.IsStrict(words[0])) throw new FormatException($"columns: '{words[0]}' cannot be the name of a column.");
            if (!names.Add(words[0])) throw new FormatException($"columns: '{words[0]}' stands there twice, or is a name of ours.");
            yield return new RecordColumn(words[0], type, PathOf(ColumnsOption, words.Length > 2 ? words[2] : words[0]));
        }
    }
}
