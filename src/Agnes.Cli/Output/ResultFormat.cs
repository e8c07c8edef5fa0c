using System.Text;
using System.Text.Json;

namespace Agnes.Cli.Output;

/// <summary>Rows written, and whether there were more.</summary>
internal sealed record Written(long Rows, bool IsCut);

/// <summary>A result in the form that was asked for.</summary>
internal static class ResultFormat
{
    public static readonly string[] Names = ["table", "json", "csv", "ndjson", "markdown"];

    private const int FlushBytes = 1 << 20;

    public static Written Write(Host host, string format, ResultRows rows, long limit) => format switch
    {
        "json" => WriteJson(host, rows, limit),
        "ndjson" => WriteNdjson(host, rows, limit),
        "csv" => WriteCsv(host, rows, limit),
        "markdown" => WriteMarkdown(host, rows, limit),
        _ => Grid.Write(host, rows, limit),
    };

    private static Written WriteJson(Host host, ResultRows rows, long limit)
    {
        var names = Encode(ResultRows.UniqueNames(rows.Columns));
        using (var writer = new Utf8JsonWriter(host.OutBytes, JsonText.Indented))
        {
            writer.WriteStartArray();
            long count = 0;
            while (rows.Read())
            {
                if (count == limit) return Finish(writer, count, isCut: true);
                WriteObject(writer, rows, names);
                count++;
                if (writer.BytesPending > FlushBytes) writer.Flush();
            }

            return Finish(writer, count, isCut: false);
        }

        Written Finish(Utf8JsonWriter writer, long count, bool isCut)
        {
            writer.WriteEndArray();
            writer.Flush();
            host.Out.Write('\n');
            return new Written(count, isCut);
        }
    }

    private static Written WriteNdjson(Host host, ResultRows rows, long limit)
    {
        var names = Encode(ResultRows.UniqueNames(rows.Columns));
        var output = host.OutBytes;
        using var writer = new Utf8JsonWriter(output, JsonText.OnOneLine);
        for (long count = 0; ; count++)
        {
            if (!rows.Read()) return new Written(count, false);
            if (count == limit) return new Written(count, true);
            WriteObject(writer, rows, names);
            writer.Flush();
            writer.Reset();
            output.WriteByte((byte)'\n');
        }
    }

    private static Written WriteCsv(Host host, ResultRows rows, long limit)
    {
        var line = new StringBuilder();
        for (var index = 0; index < rows.Columns.Count; index++) AppendField(line, rows.Columns[index], index);
        host.Out.Write(line.Append('\n'));
        for (long count = 0; ; count++)
        {
            if (!rows.Read()) return new Written(count, false);
            if (count == limit) return new Written(count, true);
            line.Clear();
            for (var index = 0; index < rows.Columns.Count; index++) AppendField(line, rows.Text(index), index);
            // A row of one NULL would be an empty line, which readers skip.
            if (line.Length == 0) line.Append("\"\"");
            host.Out.Write(line.Append('\n'));
        }
    }

    private static Written WriteMarkdown(Host host, ResultRows rows, long limit)
    {
        host.Out.Write($"| {string.Join(" | ", rows.Columns.Select(Escape))} |\n");
        host.Out.Write($"| {string.Join(" | ", rows.Columns.Select((_, index) => rows.IsNumber(index) ? "---:" : "---"))} |\n");
        for (long count = 0; ; count++)
        {
            if (!rows.Read()) return new Written(count, false);
            if (count == limit) return new Written(count, true);
            host.Out.Write("| ");
            for (var index = 0; index < rows.Columns.Count; index++) host.Out.Write((index == 0 ? "" : " | ") + Escape(rows.Text(index) ?? ""));
            host.Out.Write(" |\n");
        }
    }

    /// <summary>RFC 4180. An empty text is quoted, so that it differs from NULL, which is nothing.</summary>
    private static void AppendField(StringBuilder line, string? text, int index)
    {
        if (index > 0) line.Append(',');
        if (text is null) return;
        var mustQuote = text.Length == 0 || text.AsSpan().IndexOfAny(",\"\r\n") >= 0 || text[0] is ' ' or '\t' || text[^1] is ' ' or '\t';
        if (mustQuote) line.Append('"').Append(text.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
        else line.Append(text);
    }

    private static string Escape(string text) =>
        DisplayText.OneLine(text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings("<br>"));

    private static JsonEncodedText[] Encode(IReadOnlyList<string> names) => [.. names.Select(name => JsonEncodedText.Encode(name, JsonText.Indented.Encoder))];

    private static void WriteObject(Utf8JsonWriter writer, ResultRows rows, JsonEncodedText[] names)
    {
        writer.WriteStartObject();
        for (var index = 0; index < names.Length; index++)
        {
            writer.WritePropertyName(names[index]);
            rows.WriteJson(writer, index);
        }

        writer.WriteEndObject();
    }
}
