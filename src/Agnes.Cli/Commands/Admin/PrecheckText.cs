using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary>What the server says of a table that is not registered yet, for people.</summary>
internal static class PrecheckText
{
    private const int ColumnsListedMax = 100;

    public static void Write(Host host, JsonElement table)
    {
        host.Out.WriteLine("This can be registered:");
        foreach (var property in table.EnumerateObject().Where(property => property.Name != "preview_error" && property.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number))
            host.Out.WriteLine($"  {property.Name}: {DisplayText.OneLine(property.Value.ToString())}");
        if (Error(table) is { } error) host.Out.WriteLine($"It cannot be shown: {DisplayText.Message(error)}");
        var columns = table.TryGetProperty("columns", out var list) && list.ValueKind == JsonValueKind.Array ? list : default;
        if (columns.ValueKind == JsonValueKind.Array && columns.GetArrayLength() is > 0 and <= ColumnsListedMax)
            Columns.Write(host.Out, ["COLUMN", "TYPE"], [.. columns.EnumerateArray().Select(column => (IReadOnlyList<string>)[Columns.Field(column, "name"), Columns.Field(column, "type")])]);
        if (table.TryGetProperty("preview", out var preview) && preview.ValueKind == JsonValueKind.Object) WritePreview(host, columns, preview);
    }

    /// <summary>Why the server could not look at it; null where it could, or does not say.</summary>
    public static string? Error(JsonElement table) => table.TryGetProperty("preview_error", out var error) && error.ValueKind == JsonValueKind.String ? error.GetString() : null;

    private static void WritePreview(Host host, JsonElement columns, JsonElement preview)
    {
        host.Out.WriteLine($"Types come from {Columns.Field(preview, "rows_looked_at")} rows.");
        foreach (var file in preview.GetProperty("files").EnumerateArray()) host.Out.WriteLine($"  {DisplayText.OneLine(Columns.Field(file, "path"))}{ReadAs(file)}");
        foreach (var remark in preview.GetProperty("remarks").EnumerateArray()) host.Out.WriteLine($"  note: {DisplayText.Message(remark.GetString() ?? "")}");
        var names = columns.EnumerateArray().Select(column => (JsonNode?)Columns.Field(column, "name"));
        using var answer = JsonDocument.Parse(new JsonObject { ["columns"] = new JsonArray([.. names]), ["rows"] = JsonNode.Parse(preview.GetProperty("rows").GetRawText()) }.ToJsonString());
        using var rows = new RemoteRows(answer.RootElement);
        Grid.Write(host, rows, preview.GetProperty("rows").GetArrayLength());
    }

    /// <summary>Empty for files that say themselves how they are written.</summary>
    private static string ReadAs(JsonElement file)
    {
        if (!file.TryGetProperty("delimiter", out _)) return "";
        List<string> said = [$"delimiter {Mark(file, "delimiter")}", $"quote {Mark(file, "quote")}", $"header {Columns.Field(file, "header")}", Columns.Field(file, "encoding")];
        if (file.GetProperty("skip_lines").GetInt64() is > 0 and var skipped) said.Add($"{skipped} lines before it skipped");
        foreach (var format in file.GetProperty("date_formats").EnumerateObject()) said.Add($"dates of {format.Name} as {format.Value}");
        var nulls = file.GetProperty("null_texts").EnumerateArray().Select(text => text.GetString()).Where(text => !string.IsNullOrEmpty(text)).ToList();
        if (nulls.Count > 0) said.Add($"no value: {string.Join(", ", nulls)}");
        return DisplayText.OneLine($": {string.Join("; ", said)}");
    }

    private static string Mark(JsonElement file, string name) => file.GetProperty(name).GetString() switch { "\t" => "tab", "" or null => "none", var mark => mark };
}
