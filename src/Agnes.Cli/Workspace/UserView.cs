using System.Text.RegularExpressions;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>
/// A view that somebody made in the workspace's database, taken over into the next one. Its text is data of a file that may have come from anywhere: it is never run.
/// What runs is a statement of ours around a SELECT that <see cref="LocalGuard"/> admits as it admits a query.
/// </summary>
internal sealed partial record UserView(string Name, string Text)
{
    /// <exception cref="CliException">It is no view, or its SELECT is none that could be asked here.</exception>
    public string Statement(Layout layout, DuckDBConnection connection)
    {
        var shape = Shape().Match(Text);
        if (!shape.Success) throw new CliException("its text is not one CREATE VIEW … AS SELECT");
        // A guard of its own each time: views are built on views, so the tables that there are have just changed.
        using var guard = new LocalGuard(layout, connection, readsFiles: false);
        var select = guard.AdmitSelect(shape.Groups["select"].Value).Rewritten ?? throw new CliException("it is more than a SELECT over tables");
        var columns = shape.Groups["column"].Captures.Select(column => SqlText.Identifier(Unquoted(column.Value))).ToList();
        return $"CREATE VIEW main.{SqlText.Identifier(Name)}{(columns.Count > 0 ? $" ({string.Join(", ", columns)})" : "")} AS {select}";
    }

    private static string Unquoted(string identifier) => identifier.StartsWith('"') ? identifier[1..^1].Replace("\"\"", "\"", StringComparison.Ordinal) : identifier;

    // As the engine writes it; where the SELECT begins is checked by what is then read as one.
    [GeneratedRegex(
        """\A\s*CREATE\s+VIEW\s+(?:(?:"(?:[^"]|"")+"|[\w$]+)\.){0,2}(?:"(?:[^"]|"")+"|[\w$]+)\s*(?:\(\s*(?<column>"(?:[^"]|"")+"|[\w$]+)(?:\s*,\s*(?<column>"(?:[^"]|"")+"|[\w$]+))*\s*\)\s*)?\bAS\s+(?<select>.+)\z""",
        RegexOptions.IgnoreCase | RegexOptions.Singleline | RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
