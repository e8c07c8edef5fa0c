using System.Collections.Concurrent;
using System.Data;
using System.Text.Json;
using Agnes.Connectors.Postgres.Rendering;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using Npgsql;
using NpgsqlTypes;

namespace Agnes.Connectors.Postgres;

/// <summary>
/// Tables of a PostgreSQL that stay there. What is asked is written anew from the engine's own tree of it, and read as it comes.
/// </summary>
internal sealed class PostgresTables : IRemoteTables, IAsyncDisposable
{
    private const int DescribedMax = 512;
    private const int ListedMax = 200;

    /// <summary>Columns may change there; the server remembers them for its own purposes.</summary>
    private static readonly TimeSpan DescribedFor = TimeSpan.FromMinutes(1);

    private static readonly string[] Joins = ["Nested Loop", "Hash Join", "Merge Join"];

    private readonly string _connection;
    private readonly PostgresSession _session;
    private readonly QuestionBinder _binder;
    private readonly ConcurrentDictionary<string, Described> _described = new(StringComparer.Ordinal); // cleared when it is full

    private PostgresTables(string connection, PostgresSession session, QuestionBinder binder) =>
        (_connection, _session, _binder) = (connection, session, binder);

    public static RemoteEngine Engine { get; } = new(PostgresSettings.Kind, Open);

    public string Connection => _connection;

    private static PostgresTables Open(RemoteOpening opening)
    {
        try
        {
            var session = new PostgresSession(opening.Connection, PostgresSettings.From(opening.Options), opening.Guard);
            return new PostgresTables(
                opening.Connection, session, new QuestionBinder(Path.Combine(Directory.GetCurrentDirectory(), "binding")));
        }
        catch (FormatException fault)
        {
            throw new RemoteException(RemoteFault.System, $"'{opening.Connection}' cannot be opened as it is set: {fault.Message}.", fault);
        }
    }

    public Task<RemoteDescription> DescribeAsync(string relation, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var reading = await _session.OpenAsync(cancellation);
        return await DescriptionAsync(reading, relation, isFresh: true, cancellation);
    });

    public Task<RemoteEstimate> EstimateAsync(RemoteQuestion question, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var reading = await _session.OpenAsync(cancellation);
        var answer = await AnswerOfAsync(reading, question with { RowsMax = long.MaxValue }, cancellation);
        await using var command = new NpgsqlCommand($"EXPLAIN (FORMAT JSON) {answer.Sql}", reading.Connection);
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync(cancellation))!);
        var top = plan.RootElement[0].GetProperty("Plan");
        return new RemoteEstimate(Largest(top, isTop: true), top.GetProperty("Plan Rows").GetInt64());
    });

    public Task AnswerAsync(RemoteQuestion question, string folder, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var reading = await _session.OpenAsync(cancellation);
        var answer = await AnswerOfAsync(reading, question, cancellation);
        await using var command = new NpgsqlCommand(answer.Sql, reading.Connection);
        await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancellation);
        try
        {
            await answer.WriteAsync(reader, folder, question.BytesMax, cancellation);
        }
        catch
        {
            command.Cancel(); // the driver would read on to the last row
            throw;
        }

        return true;
    });

    public Task<IReadOnlyList<RemoteRelation>> ListAsync(RemoteListing listing, CancellationToken cancellation) =>
        SayingAsync<IReadOnlyList<RemoteRelation>>(async () =>
    {
        await using var reading = await _session.OpenAsync(cancellation);
        var found = new List<(string Schema, string Table)>();
        await using (var command = new NpgsqlCommand(PostgresCatalog.Tables, reading.Connection))
        {
            command.Parameters.Add(new NpgsqlParameter { Value = listing.AfterBucket ?? "", NpgsqlDbType = NpgsqlDbType.Text });
            command.Parameters.Add(new NpgsqlParameter { Value = listing.AfterTable ?? "", NpgsqlDbType = NpgsqlDbType.Text });
            command.Parameters.Add(
                new NpgsqlParameter { Value = Math.Clamp(listing.Max, 1, ListedMax), NpgsqlDbType = NpgsqlDbType.Integer });
            command.Parameters.Add(new NpgsqlParameter { Value = listing.Bucket ?? "", NpgsqlDbType = NpgsqlDbType.Text });
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation)) found.Add((reader.GetString(0), reader.GetString(1)));
        }

        var relations = new List<RemoteRelation>(found.Count);
        foreach (var (schema, table) in found)
        {
            var relation = $"{SqlText.Identifier(schema)}.{SqlText.Identifier(table)}";
            relations.Add(new RemoteRelation(schema, table, await DescriptionAsync(reading, relation, isFresh: false, cancellation)));
        }

        return relations;
    });

    public async ValueTask DisposeAsync()
    {
        await _session.DisposeAsync();
        _binder.Dispose();
    }

    /// <summary>The question in PostgreSQL's words, and how its answer is read.</summary>
    private async Task<PostgresAnswer> AnswerOfAsync(
        PostgresSession.Reading reading, RemoteQuestion question, CancellationToken cancellation)
    {
        var tables = new List<(RemoteTable Table, Described Described)>(question.Tables.Count);
        foreach (var table in question.Tables) tables.Add(
            (table, await DescribedAsync(reading, table.Relation, isFresh: false, cancellation)));
        using var bound = await _binder.BindAsync(
            question.Sql, [.. tables.Select(table => (table.Table.Name, table.Described.Columns))], cancellation);
        try
        {
            List<RenderTable> known = [
                .. tables.Select(table => new RenderTable(table.Table.Name, table.Table.Relation, table.Described.Rendered))];
            var query = PostgresRenderer.Render(bound.Tree.RootElement, known, reading.Letters, TimeProvider.System.GetUtcNow());
            return new PostgresAnswer(query, bound.Columns, question.RowsMax);
        }
        catch (UnknownFormException unknown)
        {
            throw unknown.ToRemote(_connection);
        }
    }

    /// <summary>The columns, and what the planner goes by: rows and pages as they were last counted.</summary>
    private async Task<RemoteDescription> DescriptionAsync(
        PostgresSession.Reading reading, string relation, bool isFresh, CancellationToken cancellation)
    {
        var described = await DescribedAsync(reading, relation, isFresh, cancellation);
        await using var command = new NpgsqlCommand(PostgresCatalog.Statistics, reading.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = relation, NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        if (!await reader.ReadAsync(cancellation)) throw Missing();
        if (!reader.GetBoolean(5))
            throw new RemoteException(RemoteFault.System, PostgresErrors.MayNotRead(_connection)) { IsForbidden = true };
        return new RemoteDescription(described.Columns)
        {
            EntityType = reader.GetString(0),
            Rows = reader.IsDBNull(1) ? null : reader.GetInt64(1),
            Bytes = reader.IsDBNull(2) ? null : reader.GetInt64(2),
            Layout = new RemoteLayout(
                reader.IsDBNull(3) ? null : reader.GetString(3), reader.IsDBNull(4) ? [] : reader.GetFieldValue<string[]>(4)),
        };
    }

    private RemoteException Missing() =>
        new(RemoteFault.System, $"The table is not at '{_connection}'. Ask an admin to look at its registration.") { IsMissing = true };

    private async Task<Described> DescribedAsync(
        PostgresSession.Reading reading, string relation, bool isFresh, CancellationToken cancellation)
    {
        if (!isFresh && _described.TryGetValue(relation, out var known)
            && TimeProvider.System.GetElapsedTime(known.Since) < DescribedFor) return known;
        var columns = new List<TableColumn>();
        var rendered = new List<RenderColumn>();
        await using var command = new NpgsqlCommand(PostgresCatalog.Columns, reading.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = relation, NpgsqlDbType = NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            var (column, form) = PostgresTypes.Of(reader.GetString(0), reader.GetString(1), reader.GetBoolean(2), reader.GetBoolean(3));
            columns.Add(column);
            rendered.Add(form);
        }

        if (columns.Count == 0) throw Missing();
        if (_described.Count >= DescribedMax) _described.Clear();
        return _described[relation] = new Described(columns, rendered, TimeProvider.System.GetTimestamp());
    }

    /// <summary>
    /// The most bytes that the planner expects between two steps, of those that can make more rows than the tables have, and at the end.
    /// </summary>
    private static long Largest(JsonElement plan, bool isTop)
    {
        var bytes = isTop || Joins.Contains(plan.GetProperty("Node Type").GetString(), StringComparer.Ordinal)
            ? (long)Math.Min(long.MaxValue / 2.0, plan.GetProperty("Plan Rows").GetDouble() * plan.GetProperty("Plan Width").GetDouble())
            : 0;
        return !plan.TryGetProperty("Plans", out var below) ? bytes : below.EnumerateArray().Select(inner => Largest(inner, isTop: false))
            .Append(bytes).Max();
    }

    private async Task<T> SayingAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception failure) when (
            failure is NpgsqlException or IOException or System.Net.Sockets.SocketException or TimeoutException
            or System.Security.Authentication.AuthenticationException)
        {
            throw PostgresErrors.Of(failure, _connection);
        }
    }

    private sealed record Described(IReadOnlyList<TableColumn> Columns, IReadOnlyList<RenderColumn> Rendered, long Since);
}
