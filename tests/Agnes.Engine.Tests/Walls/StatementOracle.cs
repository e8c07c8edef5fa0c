using System.Text;
using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Walls;

/// <summary>
/// An engine in which every name exists, without any sandbox. A statement that was checked must not be able to tell it from one without the tables that the check
/// did not find: what it reads beyond them, it reads unseen.
/// </summary>
internal sealed class StatementOracle : IDisposable
{
    private static readonly string[] Tables = ["main.orders", "main.secrets", "main.t", "main.\"É\"", "main.\"é\"", "recurring.orders", "recurring.secrets", "recurring.t", "main.recurring"];

    private readonly DuckDBConnection _connection = new("Data Source=:memory:");

    public StatementOracle()
    {
        _connection.Open();
        _connection.ExecuteUnprepared("SET threads = 1; CREATE SCHEMA recurring"); // one thread: rows come in one order
        foreach (var (table, i) in Tables.Select((table, i) => (table, i)))
            _connection.ExecuteUnprepared($"CREATE TABLE {table} AS SELECT {i * 100} + range AS id, 'row of {table} ' || range AS secret FROM range(3)");
        Parser = new StatementParser(_connection);
    }

    public StatementParser Parser { get; }

    /// <returns>What the statement answered, with all tables there and with only those there that the guard was told of.</returns>
    public (string Whole, string Named) Ask(ParsedStatement parsed, string sql)
    {
        var text = parsed.Rewritten ?? sql;
        var whole = Answer(text);
        _connection.ExecuteUnprepared("BEGIN");
        try
        {
            foreach (var table in Tables.Where(table => !parsed.Tables.Any(named => IsNamed(table, named)))) _connection.ExecuteUnprepared($"DROP TABLE {table}");
            return (whole, Answer(text));
        }
        finally
        {
            _connection.ExecuteUnprepared("ROLLBACK");
        }
    }

    public string Answer(string sql)
    {
        using var asking = _connection.CreateCommand();
        asking.CommandText = sql;
        try
        {
            using var reader = asking.ExecuteReader();
            var text = new StringBuilder().AppendJoin(",", Enumerable.Range(0, reader.FieldCount).Select(reader.GetName));
            while (reader.Read()) text.Append('\n').AppendJoin(",", Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i)));
            return text.ToString();
        }
        catch (DuckDBException problem)
        {
            return problem.ErrorType.ToString(); // the text may suggest names of tables
        }
    }

    public void Dispose()
    {
        Parser.Dispose();
        _connection.Dispose();
    }

    private static bool IsNamed(string table, NamedTable named)
    {
        var (schema, name) = (table.Split('.')[0], table.Split('.')[1].Trim('"'));
        return EngineNames.Same(named.Name, name) && EngineNames.Same(named.Schema is "" or "memory" ? "main" : named.Schema, schema);
    }
}
