using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Cli.Workspace;

/// <summary>
/// Whether a statement may run on this workspace's database. It is the server's guard with other tables: those of the workspace. Functions are a list of what is
/// allowed, so that one which the engine learns tomorrow is refused until somebody has looked at it.
/// </summary>
/// <param name="readsFiles">A person added folders: then files are read by name, and by the functions that read them.</param>
internal sealed class LocalGuard(Layout layout, DuckDBConnection connection, bool readsFiles) : IDisposable
{
    private const string Explain = "EXPLAIN";
    private const string Analyze = "ANALYZE";

    /// <summary>Functions that read files and do nothing else; which files is for the session's lock to say.</summary>
    private static readonly HashSet<string> FileFunctions = new(StringComparer.Ordinal)
    {
        "read_csv", "read_csv_auto", "sniff_csv", "read_parquet", "parquet_scan", "parquet_schema", "parquet_metadata", "parquet_file_metadata", "parquet_kv_metadata", "read_json", "read_json_auto",
        "read_json_objects", "read_json_objects_auto", "read_ndjson", "read_ndjson_auto", "read_ndjson_objects", "read_text", "read_blob", "glob",
    };

    /// <summary>What the engine tells of the workspace's own tables.</summary>
    private static readonly HashSet<string> Descriptions = new(EngineNames.Comparer) { "tables", "columns", "schemata" };

    private StatementParser? _parser;
    private HashSet<string>? _tables;

    /// <returns>The text to run.</returns>
    /// <exception cref="CliException">Not one statement that only reads what this workspace has.</exception>
    public string Admit(string sql)
    {
        var (plan, statement) = Split(sql);
        return plan + Checked(statement);
    }

    /// <summary>The plan of a statement, whether or not it asks for its plan already.</summary>
    public string AdmitExplained(string sql)
    {
        var (plan, statement) = Split(sql);
        return (plan.Length > 0 ? plan : $"{Explain} ") + Checked(statement);
    }

    /// <summary>One SELECT, and how the engine writes it: no comment or semicolon of the original can end a bracket around that. Null where it has no such text.</summary>
    public (string Text, string? Rewritten) AdmitSelect(string sql)
    {
        var text = Checked(sql);
        return (text, Parser.Rewritten(text));
    }

    public void Dispose() => _parser?.Dispose();

    private StatementParser Parser => _parser ??= new StatementParser(connection);

    private string Checked(string sql)
    {
        var parsed = Parse(sql);
        if (StatementGuard.Check(parsed, CheckTable, readsFiles ? FileFunctions : null) is { } refusal) throw Refused(parsed, refusal);
        return parsed.Rewritten ?? sql;
    }

    private ParsedStatement Parse(string sql)
    {
        try
        {
            return Parser.Parse(sql);
        }
        catch (DuckDBException problem)
        {
            return ParsedStatement.Of(StatementShape.Broken, problem.Message);
        }
    }

    private Refusal? CheckTable(NamedTable table)
    {
        if (table.Catalog.Length == 0 && EngineNames.Same(table.Schema, "information_schema")) return Descriptions.Contains(table.Name) ? null : Denied(table);
        if (!table.IsOurs && !IsInDatabase(table)) return Denied(table);
        _tables ??= new HashSet<string>(QueryErrors.TableNames(connection), EngineNames.Comparer);
        // With folders to read from, what is no table may be a file.
        return _tables.Contains(table.Name) || (readsFiles && table.IsOurs) ? null : new Refusal(RefusalKind.TableUnknown, "", table.Name);
    }

    /// <summary>With the name of the database itself before it.</summary>
    private bool IsInDatabase(NamedTable table)
    {
        var database = Path.GetFileNameWithoutExtension(layout.Database);
        return table.Catalog.Length == 0 ? EngineNames.Same(table.Schema, database) : EngineNames.Same(table.Catalog, database) && (table.Schema.Length == 0 || EngineNames.Same(table.Schema, "main"));
    }

    private static Refusal Denied(NamedTable table) => new(RefusalKind.TableDenied, $"'{StatementGuard.Shorten(table.ToString())}' is no table of this workspace.");

    private CliException Refused(ParsedStatement parsed, Refusal refusal)
    {
        if (refusal is { Kind: RefusalKind.TableUnknown, Name: { } missing }) return new QueryErrors(layout, connection).Missing(StatementGuard.Shorten(missing));
        var text = parsed.Shape switch
        {
            StatementShape.Empty => "there is no statement.",
            StatementShape.Several => "one statement at a time, please.",
            StatementShape.NotSelect => "only statements that read can be run: SELECT, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW TABLES, EXPLAIN."
                + "\nNote: the workspace's database is made anew by each pull. Keep results with --format csv > file.csv, or in a database of your own.",
            StatementShape.Broken => $"Parser Error: {parsed.Message}",
            _ when refusal is { Kind: RefusalKind.FunctionDenied, Name: { } function } && FileFunctions.Contains(function) => refusal.Message + QueryErrors.FilesNote,
            _ => refusal.Message,
        };
        return new CliException($"Query error: {text}") { IsBlock = true };
    }

    /// <summary>EXPLAIN and perhaps ANALYZE, as we write them, and the statement behind; nothing and the text itself where it asks for no plan.</summary>
    public static (string Plan, string Statement) Split(string sql)
    {
        var text = sql.TrimStart();
        if (!StartsWithWord(text, Explain)) return ("", sql);
        text = text[Explain.Length..].TrimStart();
        return StartsWithWord(text, Analyze) ? ($"{Explain} {Analyze} ", text[Analyze.Length..].TrimStart()) : ($"{Explain} ", text);
    }

    private static bool StartsWithWord(string text, string word) => text.StartsWith(word, StringComparison.OrdinalIgnoreCase) && text.Length > word.Length && char.IsWhiteSpace(text[word.Length]);
}
