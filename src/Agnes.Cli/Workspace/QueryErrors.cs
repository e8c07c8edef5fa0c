using System.Text;
using System.Text.Json;
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

    public CliException Explain(DuckDBException problem, string? sql)
    {
        if (MissingTable(problem) is { } missing) return new CliException(ForMissingTable(missing)) { IsBlock = true };
        var text = new StringBuilder("Query error: ").Append(problem.Message.TrimEnd());
        if (MissingColumn(problem.Message) is { } column)
        {
            AppendColumns(text, column, sql);
        }
        else if (problem.ErrorType == DuckDBErrorType.Permission || problem.Message.Contains("disabled by configuration", StringComparison.Ordinal))
        {
            text.Append("\nNote: local queries read only this workspace's tables and snapshots. A person at a terminal can add a folder: --allow-files DIR");
        }
        else if (problem.ErrorType == DuckDBErrorType.IO && problem.Message.Contains("No files found", StringComparison.Ordinal))
        {
            text.Append("\nNote: the workspace's files were moved or removed. Run: agnes pull");
        }

        return new CliException(text.ToString()) { IsBlock = true };
    }

    /// <summary>What the workspace knows of a name that has no view here.</summary>
    private string ForMissingTable(string missing)
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
        var names = TableNames(connection);
        var renamed = state.Servers.Values.SelectMany(server => server.Tables).FirstOrDefault(table => missing.Equals(table.Value.Id, StringComparison.OrdinalIgnoreCase));
        if (renamed.Key is not null) return $"Query error: the table with the id '{missing}' is called '{renamed.Key}' in SQL.\nNext: agnes query \"FROM \\\"{renamed.Key}\\\" LIMIT 5\"";
        var text = new StringBuilder($"Query error: no such table among yours: '{missing}'.");
        var near = Suggestions.Near(missing, names.Concat(elsewhere.Select(table => table.Name)).Distinct(StringComparer.OrdinalIgnoreCase), NearMax);
        if (near.Count > 0) text.Append("\nDid you mean: ").Append(string.Join(", ", near)).Append('?');
        text.Append("\nNext: agnes catalog lists all of yours, with those that stay on the server (query_mode='remote': agnes query --remote). A newly granted one comes with: agnes pull");
        text.Append("\nTo get another one, ask an admin; they run: agnes admin grant create <your group> table <table>");
        return text.ToString();
    }

    private void AppendColumns(StringBuilder text, string column, string? sql)
    {
        var columns = ColumnsOf(NamedTables(sql));
        var near = Suggestions.Near(column, columns.Select(pair => pair.Column).Distinct(StringComparer.OrdinalIgnoreCase), NearMax);
        if (near.Count > 0) text.Append("\nDid you mean: ").Append(string.Join(", ", near)).Append('?');
        foreach (var table in columns.GroupBy(pair => pair.Table, StringComparer.OrdinalIgnoreCase))
        {
            var names = table.Select(pair => pair.Column).ToList();
            text.Append($"\nColumns of {table.Key}: ").AppendJoin(", ", names.Take(ColumnsListedMax));
            if (names.Count > ColumnsListedMax) text.Append($", and {names.Count - ColumnsListedMax} more: agnes query \"DESCRIBE {table.Key}\"");
        }

        if (columns.Count == 0) text.Append("\nNote: the columns of a table: agnes query \"DESCRIBE <table>\"");
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

    private List<(string Table, string Column)> ColumnsOf(IReadOnlyCollection<string> tables)
    {
        var found = new List<(string, string)>();
        if (tables.Count == 0) return found;
        using var command = new DuckDBCommand("SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main' ORDER BY table_name, ordinal_position", connection);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            if (tables.Contains(reader.GetString(0))) found.Add((reader.GetString(0), reader.GetString(1)));
        }

        return found;
    }

    /// <summary>The tables of a statement, as the engine's own parser sees them.</summary>
    private HashSet<string> NamedTables(string? sql)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (sql is null) return names;
        try
        {
            using var command = new DuckDBCommand("SELECT json_serialize_sql($sql::VARCHAR)::VARCHAR", connection);
            command.Parameters.Add(new DuckDBParameter("sql", sql));
            using var reader = command.ExecuteReader();
            if (!reader.Read() || reader.IsDBNull(0)) return names;
            using var tree = JsonDocument.Parse(reader.GetString(0), new JsonDocumentOptions { MaxDepth = 1024 });
            Collect(tree.RootElement, names);
        }
        catch (Exception problem) when (problem is DuckDBException or JsonException)
        {
            // The first error is what is reported; without the tables it just says less.
            names.Clear();
        }

        return names;
    }

    private static void Collect(JsonElement node, HashSet<string> names)
    {
        if (node.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in node.EnumerateArray()) Collect(item, names);
        }
        else if (node.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in node.EnumerateObject())
            {
                if (member.Value.ValueKind == JsonValueKind.String && member.NameEquals("table_name")) names.Add(member.Value.GetString()!);
                else Collect(member.Value, names);
            }
        }
    }

    private static string? MissingTable(DuckDBException problem)
    {
        const string Begin = "Table with name ";
        const string End = " does not exist";
        if (problem.ErrorType != DuckDBErrorType.Catalog) return null;
        return Between(problem.Message, Begin, End);
    }

    private static string? MissingColumn(string message) =>
        Between(message, "Referenced column \"", "\" not found") ?? Between(message, "does not have a column named \"", "\"");

    private static string? Between(string text, string begin, string end)
    {
        var start = text.IndexOf(begin, StringComparison.Ordinal);
        if (start < 0) return null;
        start += begin.Length;
        var stop = text.IndexOf(end, start, StringComparison.Ordinal);
        return stop > start ? text[start..stop] : null;
    }
}
