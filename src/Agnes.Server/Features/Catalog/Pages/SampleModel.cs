using System.Text.Json;
using Agnes.Protocol;

namespace Agnes.Server.Features.Catalog.Pages;

/// <param name="Total">Rows of the whole table; null where nobody counted them.</param>
public sealed record SampleModel(string Name, string TableHref, IReadOnlyList<TableColumn> Columns, IReadOnlyList<IReadOnlyList<SampleCell>> Rows, long? Total);

/// <param name="Text">What is shown; null for NULL.</param>
/// <param name="Full">More of the value, when <paramref name="Text"/> had to be cut.</param>
public sealed record SampleCell(string? Text, string? Full, bool IsNumber)
{
    private const int TextCharsMax = 120;
    private const int FullCharsMax = 1000;

    public static SampleCell Of(JsonElement value)
    {
        if (value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return new(null, null, false);
        var text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        return new(Cut(text, TextCharsMax), text.Length > TextCharsMax ? Cut(text, FullCharsMax) : null, value.ValueKind == JsonValueKind.Number);
    }

    private static string Cut(string text, int chars) => text.Length <= chars ? text : $"{text[..chars]}…";
}
