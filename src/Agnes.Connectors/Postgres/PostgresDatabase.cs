using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using Agnes.Connectors.Databases;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using Agnes.Protocol;
using Npgsql;
using NpgsqlTypes;

namespace Agnes.Connectors.Postgres;

/// <summary>A PostgreSQL that tables are pulled from, with the same settings and the same harmless sessions as one that is asked.</summary>
internal sealed class PostgresDatabase(string connection, PostgresSession session) : IDatabase
{
    /// <summary>Where the table is called in statements that are made here.</summary>
    private const string Alias = "pulled";

    private static readonly TimeSpan SilenceMax = TimeSpan.FromMinutes(10);

    public string SchemaDefault => "public";

    public static DatabaseConnector Connector { get; } = new(PostgresSettings.Kind, Open);

    public string Quote(string name) => SqlText.Identifier(name);

    public string Literal(string value) => $"'{value.Replace("'", "''", StringComparison.Ordinal)}'"; // standard_conforming_strings is on

    public string Literal(Position position)
    {
        if (!position.IsTime) return position.Value.ToString(CultureInfo.InvariantCulture);
        var time = position.Time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        return position.Kind switch
        {
            PositionKind.Day => $"DATE '{time[..10]}'",
            PositionKind.Instant => $"TIMESTAMPTZ '{time}+00'",
            _ => $"TIMESTAMP '{time}'",
        };
    }

    public Task<DatabaseTable> DescribeAsync(DatabaseRelation table, CancellationToken cancellation) => SayingAsync(async () =>
    {
        var relation = RelationOf(table);
        await using var reading = await session.OpenAsync(cancellation);
        var columns = new List<DatabaseColumn>();
        await using (var reader = await CatalogAsync(reading, PostgresCatalog.Columns, relation, cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                var (name, type, isNullable) = (reader.GetString(0), reader.GetString(1), reader.GetBoolean(2));
                var (column, read) = PostgresTypes.Of(name, type, isNullable, isPlain: true);
                columns.Add(new DatabaseColumn(
                    column with { Nullable = true }, read.Sql.Replace(PostgresTypes.Alias.ToString(), Alias, StringComparison.Ordinal), isNullable));
            }
        }

        if (columns.Count == 0) throw new TableException($"There is no table {relation} at '{connection}', or its role may not see it.");
        var keys = new List<string>();
        await using (var reader = await CatalogAsync(reading, PostgresCatalog.Keys, relation, cancellation))
            while (await reader.ReadAsync(cancellation)) keys.Add(reader.GetString(0));
        await using var statistics = await CatalogAsync(reading, PostgresCatalog.Statistics, relation, cancellation);
        if (!await statistics.ReadAsync(cancellation) || !statistics.GetBoolean(5))
            throw new TableException($"The role of '{connection}' may not read {relation}: GRANT SELECT on it there.");
        return new DatabaseTable(
            columns, keys, statistics.IsDBNull(1) ? null : statistics.GetInt64(1), statistics.IsDBNull(2) ? null : statistics.GetInt64(2));
    });

    public Task<int> CountReadableAsync(int max, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var reading = await session.OpenAsync(cancellation);
        await using var command = new NpgsqlCommand($"SELECT count(*)::int FROM ({PostgresCatalog.Tables}) AS readable", reading.Connection);
        foreach (var text in (string[])["", ""]) command.Parameters.Add(new NpgsqlParameter { Value = text, NpgsqlDbType = NpgsqlDbType.Text });
        command.Parameters.Add(new NpgsqlParameter { Value = max, NpgsqlDbType = NpgsqlDbType.Integer });
        command.Parameters.Add(new NpgsqlParameter { Value = "", NpgsqlDbType = NpgsqlDbType.Text });
        return (int)(await command.ExecuteScalarAsync(cancellation))!;
    });

    public Task<DatabaseRows> ReadAsync(
        DatabaseRelation table, IReadOnlyList<DatabaseColumn> columns, string? where, AnswerFiles rows, Action<long> got, CancellationToken cancellation) =>
        SayingAsync(async () =>
        {
            await using var reading = await session.OpenAsync(cancellation);
            // A pull takes as long as it gets on; that its client is gone is noticed there by itself.
            await using (var unlimited = new NpgsqlCommand("SET LOCAL statement_timeout = 0", reading.Connection)) await unlimited.ExecuteNonQueryAsync(cancellation);
            var cells = string.Join(", ", columns.Select(column => column.Expression));
            var sql = $"COPY (SELECT {cells} FROM {RelationOf(table)} AS {Alias}{(where is null ? "" : $" WHERE {where}")}) TO STDOUT (FORMAT binary)";
            await using var stream = await reading.Connection.BeginRawBinaryCopyAsync(sql, cancellation);
            try
            {
                var copy = new CopyRows(stream, [.. columns.Select(column => column.Stored)], SilenceMax);
                return new DatabaseRows(await copy.WriteAsync(rows, got, cancellation), []);
            }
            catch
            {
                await EndedAsync(stream);
                throw;
            }
        });

    public ValueTask DisposeAsync() => session.DisposeAsync();

    private static string RelationOf(DatabaseRelation table) => $"{SqlText.Identifier(table.Schema)}.{SqlText.Identifier(table.Name)}";

    private static PostgresDatabase Open(ExtractRequest request, OutboundGuard guard)
    {
        var settings = PostgresSettings.From(request.Options ?? new Dictionary<string, string>());
        return new PostgresDatabase(request.Source, new PostgresSession(request.Source, settings, guard));
    }

    private static async Task<NpgsqlDataReader> CatalogAsync(
        PostgresSession.Reading reading, string sql, string relation, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(sql, reading.Connection);
        command.Parameters.Add(new NpgsqlParameter { Value = relation, NpgsqlDbType = NpgsqlDbType.Text });
        return await command.ExecuteReaderAsync(cancellation);
    }

    /// <summary>What is not cancelled would be read to its end.</summary>
    private static async Task EndedAsync(NpgsqlRawCopyStream stream)
    {
        try
        {
            await stream.CancelAsync();
        }
        catch (Exception failure) when (failure is ObjectDisposedException or NpgsqlException)
        {
            // The connection broke, and ended it.
        }
    }

    private async Task<T> SayingAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception failure) when (
            failure is NpgsqlException or IOException or SocketException or TimeoutException or AuthenticationException)
        {
            throw PostgresErrors.Of(failure, connection);
        }
    }
}
