using System.Text.RegularExpressions;
using Agnes.Engine.Publishing;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Files;

/// <summary>What the engine says about a file, as one sentence with file, line and reason, and without advice about options that nobody can set.</summary>
internal static partial class FileErrors
{
    private const int ValueCharactersMax = 40;

    public static string Describe(string path, string fullPath, DuckDBException error)
    {
        var text = error.Message;
        var line = Line().Match(text) is { Success: true } found ? $", line {found.Groups[1].Value}" : "";
        return $"{path}{line}: {Reason(error, path, fullPath)}";
    }

    public static bool IsEncoding(DuckDBException error) => error.Message.Contains("not utf-8 encoded", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("Invalid unicode", StringComparison.OrdinalIgnoreCase);

    /// <summary>A line that does not fit the usual buffers; the engine has two ways to say so.</summary>
    public static bool IsLongLine(DuckDBException error) => error.Message.Contains("Maximum line size", StringComparison.OrdinalIgnoreCase) || error.Message.Contains("does not support a full read", StringComparison.OrdinalIgnoreCase);

    public static bool IsMemory(DuckDBException error) => error.ErrorType == DuckDBErrorType.OutOfMemory;

    private static string Reason(DuckDBException error, string path, string fullPath)
    {
        var text = error.Message;
        if (IsMemory(error))
            return "reading it needs more memory than a job has. Raise AGNES_MEMORY, or write it as several files, with fewer columns or smaller row groups";
        if (Columns().Match(text) is { Success: true } columns) return $"expected {columns.Groups[1].Value} columns, found {columns.Groups[2].Value}";
        if (Value().Match(text) is { Success: true } value) return $"column {value.Groups[1].Value}: '{Short(value.Groups[2].Value)}' is no {value.Groups[3].Value}";
        if (text.Contains("unterminated quote", StringComparison.OrdinalIgnoreCase)) return "a quote is opened and not closed";
        if (text.Contains("Invalid unicode", StringComparison.OrdinalIgnoreCase)) return "the text is not UTF-8";
        if (text.Contains("Maximum line size", StringComparison.OrdinalIgnoreCase) || text.Contains("does not support a full read", StringComparison.OrdinalIgnoreCase)) return "the line is longer than 64 MiB";
        if (text.Contains("invalid state", StringComparison.Ordinal)) return "the text breaks the rules of CSV, for example by different line ends in one file";
        if (text.Contains("automatically detect the CSV", StringComparison.Ordinal)) return "it is not the same number of columns, or the quotes do not match, from line to line";
        if (Json().Match(text) is { Success: true } json) return $"malformed JSON: {json.Groups[1].Value.Trim()}";
        return Wording.Of(text.Replace(fullPath, path, StringComparison.Ordinal));
    }

    private static string Short(string value) => value.Length > ValueCharactersMax ? value[..ValueCharactersMax] + "…" : value;

    [GeneratedRegex(@"(?:CSV Error on Line: |at byte \d+ in (?:line|record/value) )(\d+)")]
    private static partial Regex Line();

    [GeneratedRegex(@"Expected Number of Columns: (\d+) Found: (\d+)")]
    private static partial Regex Columns();

    [GeneratedRegex(@"Error when converting column ""(.+?)""\. Could not convert string ""([^\n]*)"" to '([^']+)'")]
    private static partial Regex Value();

    [GeneratedRegex(@"Malformed JSON in file [^\n]*?(?:line|record/value) \d+: ([^\n]*)")]
    private static partial Regex Json();
}
