using System.Globalization;
using System.Text.Json;

namespace Agnes.Cli.Output;

/// <summary>Aligned columns for lists of things; the last one may be as long as it likes.</summary>
internal static class Columns
{
    private const int ColumnWidthMax = 60;
    private const string Gap = "  ";

    public static void Write(TextWriter output, IReadOnlyList<string> headers, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = headers.Select((header, index) =>
            Math.Min(ColumnWidthMax, rows.Select(row => DisplayText.Width(DisplayText.OneLine(row[index]))).Append(header.Length).Max())).ToArray();
        WriteRow(output, headers, widths);
        foreach (var row in rows) WriteRow(output, row, widths);
    }

    /// <summary>A field of a list answer as text; missing and null are a dash.</summary>
    public static string Field(JsonElement item, string name)
    {
        if (!item.TryGetProperty(name, out var value)) return "-";
        return value.ValueKind switch
        {
            JsonValueKind.Null or JsonValueKind.Undefined => "-",
            JsonValueKind.String => value.GetString() is { Length: > 0 } text ? text : "-",
            JsonValueKind.True => "yes",
            JsonValueKind.False => "no",
            JsonValueKind.Array => string.Join(", ", value.EnumerateArray().Select(element => element.ToString())),
            _ => value.ToString(),
        };
    }

    public static string Bytes(long bytes)
    {
        double value = bytes;
        foreach (var unit in (string[])["B", "KB", "MB", "GB"])
        {
            if (value < 1024) return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {unit}");
            value /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} TB");
    }

    private static void WriteRow(TextWriter output, IReadOnlyList<string> cells, int[] widths)
    {
        for (var index = 0; index < cells.Count; index++)
        {
            var text = DisplayText.OneLine(cells[index]);
            output.Write(text);
            if (index == cells.Count - 1) break;
            output.Write(new string(' ', Math.Max(0, widths[index] - DisplayText.Width(text))));
            output.Write(Gap);
        }

        output.Write('\n');
    }
}
