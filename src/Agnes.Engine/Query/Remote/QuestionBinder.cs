using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Protocol;
using Agnes.Sql;
using DuckDB.NET.Data;

namespace Agnes.Engine.Query.Remote;

/// <summary>What the engine makes of a question.</summary>
/// <param name="Tree">As <c>json_serialize_sql</c> writes it, with what is empty and without what is null.</param>
/// <param name="Columns">Of the answer: the names and types that the engine would give it.</param>
public sealed record BoundQuestion(JsonDocument Tree, IReadOnlyList<TableColumn> Columns) : IDisposable
{
    public void Dispose() => Tree.Dispose();
}

/// <summary>
/// Reads questions with the engine itself, over tables without rows: an answer of another system gets the names and types that it would
/// have had here, and what the engine refuses is refused in its words. Runs in a broker, which has nothing of the server's in it.
/// </summary>
public sealed class QuestionBinder : IDisposable
{
    /// <summary>The engine's parser and binder recurse on the caller's stack.</summary>
    private const int StackBytes = 64 << 20;

    private const long EngineBytes = 64L << 20;
    private const int JsonDepthMax = 6000;

    private readonly SemaphoreSlim _turn = new(1);
    private readonly DuckDBConnection _engine;

    /// <param name="folder">For what does not fit into its memory; made if need be.</param>
    public QuestionBinder(string folder)
    {
        var spill = Directory.CreateDirectory(folder).FullName;
        _engine = WorkerDatabase.Open(new Share(EngineBytes, 1, EngineBytes), spill, [spill]);
    }

    /// <param name="tables">What the question names, with columns in the engine's types.</param>
    /// <exception cref="RemoteException">It is no question over these tables.</exception>
    public async Task<BoundQuestion> BindAsync(
        string sql, IReadOnlyList<(string Name, IReadOnlyList<TableColumn> Columns)> tables, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation);
        try
        {
            var bound = new TaskCompletionSource<BoundQuestion>(TaskCreationOptions.RunContinuationsAsynchronously);
            var thread = new Thread(() => Try(bound, sql, tables, cancellation), StackBytes) { IsBackground = true, Name = "binding" };
            thread.Start();
            return await bound.Task;
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _engine.Dispose();
        _turn.Dispose();
    }

    private void Try(TaskCompletionSource<BoundQuestion> bound, string sql,
        IReadOnlyList<(string Name, IReadOnlyList<TableColumn> Columns)> tables, CancellationToken cancellation)
    {
        try
        {
            bound.SetResult(Bind(sql, tables, cancellation));
        }
        catch (DuckDBException e)
        {
            bound.SetException(new RemoteException(RemoteFault.Question, EngineMessages.Clean(e.Message)));
        }
        catch (InvalidOperationException e)
        {
            bound.SetException(new RemoteException(RemoteFault.Question, "The query has parameters, and nothing is given for them.", e));
        }
        catch (JsonException e)
        {
            bound.SetException(new RemoteException(
                RemoteFault.Question, "The query is nested too deeply. Split it into smaller queries.", e));
        }
        catch (Exception e)
        {
            bound.SetException(e);
        }
    }

    private BoundQuestion Bind(
        string sql, IReadOnlyList<(string Name, IReadOnlyList<TableColumn> Columns)> tables, CancellationToken cancellation)
    {
        _engine.ExecuteUnprepared("BEGIN", cancellation);
        try
        {
            foreach (var (name, columns) in tables)
            {
                var list = string.Join(", ", columns.Select(column => $"{SqlText.Identifier(column.Name)} {column.Type}"));
                _engine.ExecuteUnprepared($"CREATE TABLE {SqlText.Identifier(name)} ({list})", cancellation);
            }

            using var reading = new DuckDBCommand("SELECT CAST(json_serialize_sql($text::VARCHAR, skip_null := true) AS VARCHAR)", _engine);
            reading.Parameters.Add(new DuckDBParameter("text", sql));
            var tree = JsonDocument.Parse((string)reading.ExecuteScalar()!, new JsonDocumentOptions { MaxDepth = JsonDepthMax });
            try
            {
                return new BoundQuestion(tree, Describe(sql));
            }
            catch
            {
                tree.Dispose();
                throw;
            }
        }
        finally
        {
            _engine.ExecuteUnprepared("ROLLBACK", CancellationToken.None);
        }
    }

    private List<TableColumn> Describe(string sql)
    {
        using var describing = new DuckDBCommand($"DESCRIBE {sql}", _engine);
        using var reader = describing.ExecuteReader();
        var columns = new List<TableColumn>();
        while (reader.Read()) columns.Add(new TableColumn(reader.GetString(0), reader.GetString(1)));
        return columns;
    }
}
