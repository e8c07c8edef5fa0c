using System.Text.Json;
using Agnes.Engine.Query;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Engine.Tests.Query.Remote;

/// <summary>Another system that is an engine like ours: what it answers differs from what is answered here by the question alone.</summary>
internal sealed class EngineTables : IRemoteTables, IDisposable
{
    /// <summary>Rows with all that goes wrong between systems: NULL, upper and lower case, letters beyond ASCII, quotes, signs.</summary>
    public const string Sales = """
        SELECT i AS id, CASE WHEN i % 11 = 0 THEN NULL ELSE i * 1.25 - 40 END::DECIMAL(12,2) AS amount,
            CASE WHEN i % 13 = 0 THEN NULL ELSE ['apple', 'Zebra', 'Äpfel', 'pear', 'it''s', '', 'a%b', ' e '][i % 8 + 1] END AS name,
            CASE WHEN i % 17 <> 0 THEN DATE '2026-01-01' + i::INTEGER END AS day,
            TIMESTAMP '2026-01-01 10:00:00' + INTERVAL (i * 7919) SECOND AS moment, i / 7.0::DOUBLE AS ratio,
            CASE WHEN i % 5 <> 0 THEN i % 3 = 0 END AS large, (i % 6)::INTEGER AS grade,
            CASE WHEN i % 19 <> 0 THEN TIMESTAMPTZ '2026-01-01 10:00:00+00' + INTERVAL (i * 3607) SECOND END AS seen
        FROM range(120) r(i)
        """;

    private readonly DuckDBConnection _engine = new("Data Source=:memory:");

    public EngineTables()
    {
        _engine.Open();
        Make("sales", Sales);
    }

    public string Connection => "depot";

    /// <summary>What it answered.</summary>
    public List<RemoteQuestion> Asked { get; } = [];

    /// <summary>A question with this in it is one that it does not understand.</summary>
    public string? Refuses { get; init; }

    public void Make(string table, string rows) => _engine.ExecuteUnprepared($"CREATE OR REPLACE TABLE {table} AS {rows}");

    /// <param name="columns">Known here before it is asked, as for a table whose description is kept.</param>
    public ScopedTable Table(string name, IReadOnlyList<TableColumn>? columns = null) =>
        new(name, name, 0, "", columns ?? [], new RowSource.Remote(this, name));

    public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) =>
        Task.FromResult(new RemoteDescription(Columns($"SELECT * FROM {relation}")));

    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) =>
        Task.FromResult(new RemoteEstimate(question.Sql.Length, null));

    public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation)
    {
        lock (Asked)
        {
            if (Refuses is { } word && question.Sql.Contains(word, StringComparison.Ordinal))
                throw new RemoteException(RemoteFault.Question, "It is not understood here.");
            Asked.Add(question);
            Directory.CreateDirectory(folder);
            var file = Path.Combine(folder, "0.parquet");
            var rows = $"SELECT * FROM ({question.Sql}) LIMIT {Math.Min(question.RowsMax, int.MaxValue)}";
            _engine.ExecuteUnprepared($"COPY ({rows}) TO {SqlText.Literal(file)} (FORMAT parquet)", cancellation);
        }

        return Task.CompletedTask;
    }

    /// <summary>A statement's tree without where in the text its parts stand.</summary>
    public string TreeOf(string sql, bool positions = false)
    {
        using var command = new DuckDBCommand("SELECT json_serialize_sql($text::VARCHAR)::VARCHAR", _engine);
        command.Parameters.Add(new DuckDBParameter("text", sql));
        using var tree = JsonDocument.Parse((string)command.ExecuteScalar()!, new JsonDocumentOptions { MaxDepth = 2000 });
        var text = tree.RootElement.GetRawText();
        return positions ? text : System.Text.RegularExpressions.Regex.Replace(text, "\"query_location\":[0-9]+", "");
    }

    public void Dispose() => _engine.Dispose();

    private IReadOnlyList<TableColumn> Columns(string sql)
    {
        using var command = new DuckDBCommand($"DESCRIBE {sql}", _engine);
        using var reader = command.ExecuteReader();
        var columns = new List<TableColumn>();
        while (reader.Read()) columns.Add(new TableColumn(reader.GetString(0), reader.GetString(1)));
        return columns;
    }
}
