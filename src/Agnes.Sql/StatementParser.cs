using System.Text.Json;
using DuckDB.NET.Data;

namespace Agnes.Sql;

/// <summary>Parses with the engine's own parser, on a connection that is given to it and stays its giver's.</summary>
public sealed class StatementParser : IDisposable
{
    /// <summary>The tree of a statement is some hundred times as long as its text.</summary>
    private const int TreeCharactersMax = 64 << 20;

    private readonly DuckDBConnection _connection;
    private readonly DuckDBCommand _command;
    private readonly DuckDBParameter _text;

    public StatementParser(DuckDBConnection connection)
    {
        _connection = connection;
        _command = connection.CreateCommand();
        _command.CommandText = "SELECT CAST(json_serialize_sql($text::VARCHAR, skip_null := true, skip_empty := true) AS VARCHAR)";
        _text = new DuckDBParameter("text", "");
        _command.Parameters.Add(_text);
        _command.Prepare();
    }

    /// <summary>Makes ready what does not need the engine, for a caller that waits for the engine anyway.</summary>
    public static void WarmUp()
    {
        const string Sql = "SELECT 1";
        const string Tree = """{"error":false,"statements":[{"node":{"type":"SELECT_NODE","select_list":[{"class":"CONSTANT","type":"VALUE_CONSTANT","value":{"type":{"id":"INTEGER"},"is_null":false,"value":1}}],"from_table":{"type":"EMPTY"}}}]}""";
        using var json = JsonDocument.Parse(Tree);
        StatementGuard.Check(StatementTree.Read(json.RootElement), static _ => null);
        UnseenWords.First(Sql, Tree);
    }

    public ParsedStatement Parse(string sql)
    {
        var tree = Tree(sql);
        if (tree.Length > TreeCharactersMax) return ParsedStatement.Of(StatementShape.TooComplex);
        try
        {
            using var json = JsonDocument.Parse(tree, new JsonDocumentOptions { MaxDepth = StatementTree.DepthMax });
            var parsed = StatementTree.Read(json.RootElement);
            if (parsed.Shape != StatementShape.Select || UnseenWords.First(sql, tree) is not { } word) return parsed;
            // What is run must be what was looked at: then without the rest, where that is the same statement.
            return Rewritten(sql, tree) is { } text ? parsed with { Rewritten = text } : ParsedStatement.Of(StatementShape.Unseen, word);
        }
        catch (JsonException)
        {
            return ParsedStatement.Of(StatementShape.TooComplex); // the engine writes valid JSON, so it is the depth
        }
    }

    /// <summary>
    /// The engine's own text of the statement, which ends where the statement does and holds nothing that the tree does not. Null where it has none, and where what it
    /// writes reads as another statement: some names it writes without their quotes, so that what was a name becomes SQL.
    /// </summary>
    public string? Rewritten(string sql)
    {
        try
        {
            var tree = Tree(sql);
            return tree.Length > TreeCharactersMax ? null : Rewritten(sql, tree);
        }
        catch (Exception problem) when (problem is DuckDBException or JsonException)
        {
            return null; // no statement, or one too deep to be looked at
        }
    }

    private string? Rewritten(string sql, string tree) => Written(sql) is { } text && Tree(text) is { Length: <= TreeCharactersMax } written && SyntaxTree.Same(tree, written) ? text : null;

    /// <summary>For <see cref="Rewritten(string, string)"/> alone: nobody has looked at what the engine writes.</summary>
    private string? Written(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT json_deserialize_sql(json_serialize_sql($text::VARCHAR))";
        command.Parameters.Add(new DuckDBParameter("text", sql));
        try
        {
            return command.ExecuteScalar() as string;
        }
        catch (DuckDBException)
        {
            return null; // no SELECT, or one of a kind that the engine cannot write
        }
    }

    public void Dispose() => _command.Dispose();

    private string Tree(string sql)
    {
        _text.Value = sql;
        return (string)(_command.ExecuteScalar() ?? throw new InvalidOperationException("The engine parsed nothing."));
    }
}
