using System.Text.Json;
using DuckDB.NET.Data;

namespace Agnes.Engine.Query.Workers;

/// <summary>Parses with the engine's own parser, in an engine that holds nothing.</summary>
internal sealed class StatementParser : IDisposable
{
    /// <summary>The tree of a statement is some hundred times as long as its text.</summary>
    private const int TreeCharactersMax = 64 << 20;

    private readonly DuckDBConnection _connection;
    private readonly DuckDBCommand _command;
    private readonly DuckDBParameter _text;

    public StatementParser(Sandbox sandbox)
    {
        _connection = sandbox.Connection;
        _command = _connection.CreateCommand();
        _command.CommandText = "SELECT CAST(json_serialize_sql($text::VARCHAR, skip_null := true, skip_empty := true) AS VARCHAR)";
        _text = new DuckDBParameter("text", "");
        _command.Parameters.Add(_text);
        _command.Prepare();
    }

    public ParsedStatement Parse(string sql)
    {
        _text.Value = sql;
        var tree = (string)(_command.ExecuteScalar() ?? throw new InvalidOperationException("The engine parsed nothing."));
        if (tree.Length > TreeCharactersMax) return ParsedStatement.Of(StatementShape.TooComplex);
        try
        {
            using var json = JsonDocument.Parse(tree, new JsonDocumentOptions { MaxDepth = StatementTree.DepthMax });
            return StatementTree.Read(json.RootElement);
        }
        catch (JsonException)
        {
            return ParsedStatement.Of(StatementShape.TooComplex); // the engine writes valid JSON, so it is the depth
        }
    }

    public void Dispose() => _command.Dispose();
}
