using System.Text.Json;

namespace Agnes.Cli.Output;

/// <summary>
/// Rows that came as JSON: a query's answer (<c>columns</c> and arrays) or a sample's (objects; the columns are the keys in order of appearance).
/// </summary>
internal sealed class RemoteRows : ResultRows
{
    private readonly JsonElement _rows;
    private readonly bool[] _isNumber;
    private JsonElement[] _current = [];
    private int _next;

    public RemoteRows(JsonElement answer)
    {
        _rows = answer.GetProperty("rows");
        Columns = answer.TryGetProperty("columns", out var columns)
            ? [.. columns.EnumerateArray().Select(column => column.GetString() ?? "")]
            : [.. _rows.EnumerateArray().SelectMany(row => row.EnumerateObject().Select(property => property.Name)).Distinct(StringComparer.Ordinal)];
        _isNumber = new bool[Columns.Count];
        if (_rows.GetArrayLength() > 0)
        {
            var first = Cells(_rows[0]);
            for (var index = 0; index < _isNumber.Length; index++) _isNumber[index] = first[index].ValueKind == JsonValueKind.Number;
        }
    }

    public override IReadOnlyList<string> Columns { get; }

    public override bool Read()
    {
        if (_next >= _rows.GetArrayLength()) return false;
        _current = Cells(_rows[_next++]);
        return true;
    }

    public override string? Text(int column) => _current[column].ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.String => _current[column].GetString(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Number => _current[column].GetRawText(),
        _ => JsonText.Compact(_current[column]),
    };

    public override bool IsNumber(int column) => _isNumber[column];

    public override void WriteJson(Utf8JsonWriter writer, int column)
    {
        if (_current[column].ValueKind == JsonValueKind.Undefined) writer.WriteNullValue();
        else _current[column].WriteTo(writer);
    }

    public override void Dispose() => _current = [];

    private JsonElement[] Cells(JsonElement row)
    {
        var cells = new JsonElement[Columns.Count];
        if (row.ValueKind == JsonValueKind.Array)
        {
            var index = 0;
            foreach (var cell in row.EnumerateArray())
            {
                if (index < cells.Length) cells[index++] = cell;
            }
        }
        else
        {
            for (var index = 0; index < cells.Length; index++) row.TryGetProperty(Columns[index], out cells[index]);
        }

        return cells;
    }
}
