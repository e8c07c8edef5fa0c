using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Mcp;

/// <summary>Answers as text, never longer than an agent should have to read.</summary>
internal static class McpText
{
    /// <summary>About 25,000 tokens.</summary>
    public const int BytesMax = 100_000;

    public static string Of(JsonNode value)
    {
        using var bytes = new MemoryStream();
        using (var writer = new Utf8JsonWriter(bytes, JsonText.OnOneLine)) value.WriteTo(writer);
        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary><c>{"columns":[…],"rows":[[…]],"row_count":n,"truncated":b}</c>, cut at a row that would make it too long.</summary>
    public static string Rows(ResultRows rows, int limit, bool isCut = false)
    {
        using var bytes = new MemoryStream();
        var count = 0;
        using (var writer = new Utf8JsonWriter(bytes, JsonText.OnOneLine))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("columns");
            foreach (var column in rows.Columns) writer.WriteStringValue(column);
            writer.WriteEndArray();
            writer.WriteStartArray("rows");
            while (rows.Read())
            {
                if (count == limit || bytes.Length + writer.BytesPending > BytesMax)
                {
                    isCut = true;
                    break;
                }

                writer.WriteStartArray();
                for (var index = 0; index < rows.Columns.Count; index++) WriteCell(writer, rows, index);
                writer.WriteEndArray();
                count++;
            }

            writer.WriteEndArray();
            writer.WriteNumber("row_count", count);
            writer.WriteBoolean("truncated", isCut);
            if (isCut) writer.WriteString("note", "There are more rows. Aggregate or filter in SQL rather than raising the limit.");
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.GetBuffer(), 0, (int)bytes.Length);
    }

    /// <summary>For answers that have no rows to stop at.</summary>
    public static string Cut(string text) => text.Length <= BytesMax * 2 ? text : string.Concat(text.AsSpan(0, BytesMax * 2), "… (cut; ask for less)");

    /// <summary>One enormous cell must not be the whole answer.</summary>
    private static void WriteCell(Utf8JsonWriter writer, ResultRows rows, int column)
    {
        const int cellCharsMax = 10_000;
        if (rows.Text(column) is { Length: > cellCharsMax } text) writer.WriteStringValue($"{text.AsSpan(0, cellCharsMax)}… ({text.Length} characters)");
        else rows.WriteJson(writer, column);
    }
}
