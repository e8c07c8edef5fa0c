using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>--setting date_format=%d/%m/%Y --setting types='{"code":"VARCHAR"}'</c>, or all of them as <c>--setting @file.json</c>.</summary>
internal static class TableSettings
{
    public static Option<string[]> Option() => new("--setting")
    {
        Description = "How the table's files are read, as name=value; once for each. delimiter, quote, escape, encoding, header, skip_lines, null_texts, decimal, thousands, "
            + "date_format, timestamp_format, types, text_columns, trim, duplicate_names, bad_rows, verify_checksums. The value is JSON or a text; @file.json holds all.",
    };

    /// <exception cref="CliException">It is neither name=value nor a file.</exception>
    public static async Task<JsonObject> ReadAsync(string[] given, CancellationToken cancellation)
    {
        var settings = new JsonObject();
        foreach (var text in given)
        {
            if (text.StartsWith('@'))
            {
                if (Parsed(await TextOrFile.ReadAsync(text, cancellation)) is not JsonObject file) throw new CliException($"'{text[1..]}' does not hold a JSON object.", ExitCode.Usage);
                foreach (var (name, value) in file) settings[name] = value?.DeepClone();
                continue;
            }

            var mark = text.IndexOf('=', StringComparison.Ordinal);
            if (mark <= 0) throw new CliException($"'{text}' is not name=value.", ExitCode.Usage) { Hint = "For example: --setting date_format=%d/%m/%Y" };
            settings[text[..mark]] = Value(text[..mark], text[(mark + 1)..]);
        }

        return settings;
    }

    /// <summary>Lists may be written with commas; what is no JSON is a text.</summary>
    private static JsonNode? Value(string name, string text)
    {
        var parsed = Parsed(text);
        if (name is "null_texts" or "text_columns" && parsed is not JsonArray) return new JsonArray([.. text.Split(',').Select(one => (JsonNode)one)]);
        return name is "header" or "trim" or "verify_checksums" or "skip_lines" or "types" or "null_texts" or "text_columns" && parsed is not null ? parsed : text;
    }

    private static JsonNode? Parsed(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
