using System.Globalization;
using System.Text.Json;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Npgsql;

namespace Agnes.Testing;

/// <summary>Tables of a real PostgreSQL, asked over its own protocol: another process, another parser, another planner.</summary>
internal sealed class PostgresTables(NpgsqlDataSource database, string connection) : IRemoteTables, IAsyncDisposable
{
    private readonly List<string> _asked = [];

    public string Connection => connection;

    public bool IsClosed { get; private set; }

    /// <summary>What it answered, or began to.</summary>
    public IReadOnlyList<string> Asked => _asked;

    public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var command = database.CreateCommand($"SELECT * FROM {relation} LIMIT 0");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return new RemoteDescription(Columns(reader));
    });

    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var command = database.CreateCommand($"EXPLAIN (FORMAT JSON) {Statement(question with { RowsMax = long.MaxValue })}");
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(cancellation))!);
        var top = plan.RootElement[0].GetProperty("Plan");
        var rows = top.GetProperty("Plan Rows").GetInt64();
        return new RemoteEstimate(rows * top.GetProperty("Plan Width").GetInt64(), rows);
    });

    public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await WriteAsync(question, folder, cancellation);
        return true;
    });

    public ValueTask DisposeAsync()
    {
        IsClosed = true;
        return database.DisposeAsync();
    }

    private async Task<T> SayingAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (PostgresException e)
        {
            throw new RemoteException(RemoteFault.Question, $"'{connection}' says: {e.MessageText}", e);
        }
        catch (NpgsqlException e)
        {
            throw new RemoteException(RemoteFault.System, $"'{connection}' cannot be reached. Ask an admin to look at the connection.", e);
        }
    }

    private async Task WriteAsync(RemoteQuestion question, string folder, CancellationToken cancellation)
    {
        _asked.Add(question.Sql);
        await using var command = database.CreateCommand(Statement(question));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await using var answer = await AnswerFiles.OpenAsync(folder, Columns(reader), question.BytesMax, cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            for (var at = 0; at < reader.FieldCount; at++)
            {
                if (reader.IsDBNull(at)) answer.Null();
                else answer.Text(Text(reader.GetValue(at)));
            }

            await answer.EndRowAsync(cancellation);
        }

        await answer.CompleteAsync(cancellation);
    }

    private static string Statement(RemoteQuestion question)
    {
        var tables = question.Tables.Select(table => $"{SqlText.Identifier(table.Name)} AS (SELECT * FROM {table.Relation})");
        return $"WITH {string.Join(", ", tables)} SELECT * FROM ({question.Sql.TrimEnd(';').Replace("count_star()", "count(*)", StringComparison.Ordinal)}) AS question LIMIT {question.RowsMax}";
    }

    private static List<TableColumn> Columns(NpgsqlDataReader reader) =>
        [.. Enumerable.Range(0, reader.FieldCount).Select(at => new TableColumn(reader.GetName(at), TypeOf(reader.GetDataTypeName(at)), true))];

    private static string TypeOf(string type) => type switch
    {
        "bigint" => "BIGINT",
        "integer" => "INTEGER",
        "numeric" => "DECIMAL(38,1)",
        _ when type.StartsWith("numeric(", StringComparison.Ordinal) => "DECIMAL(21,1)",
        "date" => "DATE",
        "boolean" => "BOOLEAN",
        _ => "VARCHAR",
    };

    private static string Text(object value) => value is DateOnly day ? day.ToString("O", CultureInfo.InvariantCulture) : Convert.ToString(value, CultureInfo.InvariantCulture)!;
}
