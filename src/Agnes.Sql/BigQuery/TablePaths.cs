using System.Globalization;

namespace Agnes.Sql.BigQuery;

/// <summary>Tells from a path alone what it names, and refuses what names more than one table of today.</summary>
internal static class TablePaths
{
    private const string Metadata = "INFORMATION_SCHEMA";

    /// <exception cref="RefusedStatement">No single table has such a name.</exception>
    public static TableReference Classify(TableName name)
    {
        var parts = name.Parts;
        var reference = parts.Count switch
        {
            1 => new TableReference(ReferenceForm.Bare, null, null, parts[0], name.At),
            2 => new TableReference(ReferenceForm.Dataset, null, parts[0], parts[1], name.At),
            3 when EngineNames.Same(parts[0], Parser.SourceName) =>
                new TableReference(ReferenceForm.Source, null, parts[1], parts[2], name.At),
            3 => new TableReference(ReferenceForm.Project, parts[0], parts[1], parts[2], name.At),
            _ => null,
        };
        var path = string.Join('.', parts);
        if (Fault(parts) is { } fault) throw Refuse(path, fault, reference);
        if (reference is null) throw Refuse(path, "has more parts than project, data set and table", null);
        if (name.SystemTime is not null) throw Refuse(path, "is asked for as it is now; FOR SYSTEM_TIME is not allowed", reference);
        return reference;
    }

    /// <summary>Whether a table can be called so: what is not known to be harmless in a name is not.</summary>
    public static bool IsName(string part, bool isProject) =>
        part.Length > 0 && part.All(c => IsLetter(c) || (isProject && c is ':' or '.'));

    private static string? Fault(NodeList<string> parts)
    {
        foreach (var (part, index) in parts.Select((part, index) => (part, index)))
        {
            if (part.Equals(Metadata, StringComparison.OrdinalIgnoreCase) || part.StartsWith("region-", StringComparison.OrdinalIgnoreCase)
                || part.StartsWith("__", StringComparison.Ordinal))
                return "describes tables and is none; use the catalog";
            if (part.Contains('*', StringComparison.Ordinal)) return "stands for several tables; name each";
            if (part.Contains('$', StringComparison.Ordinal)) return "names a partition; use WHERE";
            if (part.Contains('@', StringComparison.Ordinal)) return "names a time; a table is asked for as it is now";
            if (!IsName(part, index == 0 && parts.Count == 3)) return "has a character that no name of a table has";
        }

        return null;
    }

    private static bool IsLetter(char c) => c is '_' or '-' or ' ' || char.IsLetterOrDigit(c)
        || char.GetUnicodeCategory(c)
            is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark;

    private static RefusedStatement Refuse(string path, string why, TableReference? reference)
    {
        var shown = StatementGuard.Shorten(path);
        return new RefusedStatement(new Refusal(RefusalKind.TableDenied, $"'{shown}' {why}.", shown), reference);
    }
}
