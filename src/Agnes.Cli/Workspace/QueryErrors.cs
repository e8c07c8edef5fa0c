using System.Text;
using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>
/// The engine's error, and what it lacks to be acted on: the nearest names, and the command that comes next. A table that the caller may not see and one
/// that does not exist get the same answer.
/// </summary>
internal sealed class QueryErrors(Layout layout, DuckDBConnection connection)
{
    private const int NearMax = 5;
    private const int ColumnsListedMax = 40;

    public const string FilesNote = "\nNote: local queries read only this workspace's tables and snapshots. A person at a terminal can add a folder: --allow-files DIR";

    /// <summary>
    /// The kind of the error decides what is added, and the statement's tree what it is about. The text is the statement's own to write: it is shown, never read. What has to be
    /// asked of the engine is asked on a connection that the statement did not have.
    /// </summary>
    public CliException Explain(DuckDBException problem, string? sql)
    {
        var text = new StringBuilder("Query error: ").Append(EngineAdvice.Without(problem.Message, sql).TrimEnd());
        switch (problem.ErrorType)
        {
            case DuckDBErrorType.Permission:
                text.Append(FilesNote);
                break;
            case DuckDBErrorType.Catalog or DuckDBErrorType.Binder or DuckDBErrorType.IO when sql is not null:
                using (var fresh = connection.Duplicate())
                {
                    var parsed = Parsed(fresh, sql);
                    if (problem.ErrorType == DuckDBErrorType.Catalog && MissingTable(fresh, parsed) is { } missing) return Missing(missing);
                    if (problem.ErrorType == DuckDBErrorType.Binder) AppendColumns(text, fresh, parsed);
                    if (problem.ErrorType == DuckDBErrorType.IO && parsed.Tables.Any(table => !HasFiles(table.Name))) text.Append("\nNote: the workspace's files were moved or removed. Run: agnes pull");
                }

                break;
        }

        return new CliException(text.ToString()) { IsBlock = true };
    }

    /// <summary>A table that has no view here.</summary>
    public CliException Missing(string name)
    {
        using var fresh = connection.Duplicate();
        return new CliException(ForMissingTable(name, TableNames(fresh)) + (IsFile(name) ? FilesNote : "")) { IsBlock = true };
    }

    private static bool IsFile(string name) => name.Contains('/', StringComparison.Ordinal) || name.Contains('\\', StringComparison.Ordinal) || Path.GetExtension(name).ToLowerInvariant() is ".csv" or ".tsv" or ".json" or ".ndjson" or ".parquet" or ".gz";

    /// <summary>What the workspace knows of a name that has no view here.</summary>
    private string ForMissingTable(string missing, IReadOnlyList<string> names)
    {
        var (state, _) = PullState.Read(layout);
        var elsewhere = state.Servers.Values.SelectMany(server => server.Elsewhere ?? []).DistinctBy(table => table.Name, StringComparer.OrdinalIgnoreCase).ToList();
        var known = elsewhere.Find(table => table.Name.Equals(missing, StringComparison.OrdinalIgnoreCase) || missing.Equals(table.Id, StringComparison.OrdinalIgnoreCase));
        if (known is { IsRemote: true })
        {
            return $"Query error: '{known.Name}' stays on the server (query_mode='remote'), so it is not in this workspace."
                + "\nNext: agnes query --remote \"SELECT …\" for one filtered or aggregated answer,"
                + $"\n  or agnes snapshot create {known.Name} --select <columns> --where <predicate> --as <name>, and query that here."
                + $"\n  Its columns: agnes schema {known.Name}";
        }

        if (known is not null) return $"Query error: '{known.Name}' is yours but was not pulled yet.\nNext: agnes pull";
        var renamed = state.Servers.Values.SelectMany(server => server.Tables).FirstOrDefault(table => missing.Equals(table.Value.Id, StringComparison.OrdinalIgnoreCase));
        if (renamed.Key is not null) return $"Query error: the table with the id '{missing}' is called '{renamed.Key}' in SQL.\nNext: agnes query \"FROM \\\"{renamed.Key}\\\" LIMIT 5\"";
        var text = new StringBuilder($"Query error: no such table among yours: '{missing}'.");
        var near = Suggestions.Near(missing, names.Concat(elsewhere.Select(table => table.Name)).Distinct(StringComparer.OrdinalIgnoreCase), NearMax);
        if (near.Count > 0) text.Append("\nDid you mean: ").Append(string.Join(", ", near)).Append('?');
        text.Append("\nNext: agnes catalog lists all of yours, with those that stay on the server (query_mode='remote': agnes query --remote). A newly granted one comes with: agnes pull");
        text.Append("\nTo get another one, ask an admin; they run: agnes admin grant create <your group> table <table>");
        return text.ToString();
    }

    /// <summary>The columns of the statement's tables, where it names one that none of them has. Names that it gives itself are among those, but look like no column.</summary>
    private static void AppendColumns(StringBuilder text, DuckDBConnection fresh, ParsedStatement parsed)
    {
        var columns = ColumnsOf(fresh, parsed.Tables);
        var known = columns.Select(pair => pair.Column).ToHashSet(EngineNames.Comparer);
        var unknown = parsed.Columns.Where(names => !known.Contains(names[0]) && !known.Contains(names[^1])).Select(names => names[^1]).ToList();
        if (unknown.Count == 0) return;
        var near = unknown.Select(column => Suggestions.Near(column, columns.Select(pair => pair.Column).Distinct(StringComparer.OrdinalIgnoreCase), NearMax)).FirstOrDefault(near => near.Count > 0);
        if (near is not null) text.Append("\nDid you mean: ").Append(string.Join(", ", near)).Append('?');
        foreach (var table in columns.GroupBy(pair => pair.Table, StringComparer.OrdinalIgnoreCase))
        {
            var names = table.Select(pair => pair.Column).ToList();
            text.Append($"\nColumns of {table.Key}: ").AppendJoin(", ", names.Take(ColumnsListedMax));
            if (names.Count > ColumnsListedMax) text.Append($", and {names.Count - ColumnsListedMax} more: agnes query \"DESCRIBE {table.Key}\"");
        }

        if (columns.Count == 0) text.Append("\nNote: the columns of a table: agnes query \"DESCRIBE <table>\"");
    }

    private static string? MissingTable(DuckDBConnection fresh, ParsedStatement parsed)
    {
        var names = TableNames(fresh).ToHashSet(EngineNames.Comparer);
        return parsed.Tables.Where(table => table.IsOurs && !names.Contains(table.Name)).Select(table => table.Name).FirstOrDefault();
    }

    /// <summary>Whether all that a table of this workspace is made of is where it belongs; true for what is none.</summary>
    private bool HasFiles(string name)
    {
        if (SnapshotFiles.Read(layout, name) is not null) return File.Exists(SnapshotFiles.DataPath(layout, name));
        var (state, _) = PullState.Read(layout);
        var disk = DiskListing.Read(layout);
        return state.Servers.Values.SelectMany(server => server.Tables).Where(table => EngineNames.Same(table.Key, name)).All(table => table.Value.Parts.All(disk.HasPart));
    }

    /// <summary>Tables and views that can be asked, without the engine's own.</summary>
    public static IReadOnlyList<string> TableNames(DuckDBConnection connection)
    {
        using var command = new DuckDBCommand("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main' ORDER BY table_name", connection);
        using var reader = command.ExecuteReader();
        var names = new List<string>();
        while (reader.Read()) names.Add(reader.GetString(0));
        return names;
    }

    private static List<(string Table, string Column)> ColumnsOf(DuckDBConnection fresh, IReadOnlyList<NamedTable> tables)
    {
        var found = new List<(string, string)>();
        if (tables.Count == 0) return found;
        var named = tables.Select(table => table.Name).ToHashSet(EngineNames.Comparer);
        using var command = new DuckDBCommand("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main' ORDER BY table_name, ordinal_position", fresh);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (named.Contains(reader.GetString(0))) found.Add((reader.GetString(0), reader.GetString(1)));
        }

        return found;
    }

    /// <summary>The statement as the engine's own parser sees it; of what it cannot parse nothing is known, and the error just says less.</summary>
    private static ParsedStatement Parsed(DuckDBConnection fresh, string sql)
    {
        using var parser = new StatementParser(fresh);
        try
        {
            return parser.Parse(LocalGuard.Split(sql).Statement);
        }
        catch (DuckDBException)
        {
            return ParsedStatement.Of(StatementShape.Broken);
        }
    }
}
