using System.Data;
using System.Globalization;
using System.Net.Sockets;
using System.Security.Authentication;
using Agnes.Connectors.Databases;
using Agnes.Connectors.Files;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using MySqlConnector;

namespace Agnes.Connectors.MySql;

/// <summary>A MySQL or a MariaDB that tables are pulled from.</summary>
internal sealed class MySqlDatabase(string connection, MySqlSettings settings, MySqlSession session) : IDatabase
{
    private const int ReportEvery = 200_000;
    private static readonly TimeSpan SilenceMax = TimeSpan.FromMinutes(10);

    public static DatabaseConnector Connector { get; } = new(MySqlSettings.Kind, Open);

    public string SchemaDefault => settings.Database;

    public string Quote(string name) => MySqlText.Quote(name);

    public string Literal(string value) => MySqlText.Literal(value);

    public string Literal(Position position)
    {
        if (!position.IsTime) return position.Value.ToString(CultureInfo.InvariantCulture);
        var time = position.Time.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        return position.Kind == PositionKind.Day ? $"DATE '{time[..10]}'" : $"TIMESTAMP '{time}'"; // the session's zone is UTC
    }

    public Task<DatabaseTable> DescribeAsync(DatabaseRelation relation, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var opened = await session.OpenAsync(cancellation);
        var columns = new List<DatabaseColumn>();
        await using (var reader = await CatalogAsync(opened, Sql.Columns, relation, cancellation))
        {
            while (await reader.ReadAsync(cancellation))
                columns.Add(MySqlTypes.Of(
                    reader.GetString(0), reader.GetString(1), reader.GetString(2), Number(reader, 3), Number(reader, 4), reader.GetString(5) == "YES"));
        }

        if (columns.Count == 0) throw new TableException($"There is no table {RelationOf(relation)} at '{connection}', or its user may not read it.");
        var keys = new List<string>();
        await using (var reader = await CatalogAsync(opened, Sql.Keys, relation, cancellation))
            while (await reader.ReadAsync(cancellation)) keys.Add(reader.GetString(0));
        await using var statistics = await CatalogAsync(opened, Sql.Statistics, relation, cancellation);
        return await statistics.ReadAsync(cancellation)
            ? new DatabaseTable(columns, keys, Number(statistics, 0), Number(statistics, 1))
            : new DatabaseTable(columns, keys, null, null);
    });

    public Task<int> CountReadableAsync(int max, CancellationToken cancellation) => SayingAsync(async () =>
    {
        await using var opened = await session.OpenAsync(cancellation);
        await using var command = new MySqlCommand(Sql.Readable, opened);
        command.Parameters.AddWithValue("max", max);
        return Convert.ToInt32(await command.ExecuteScalarAsync(cancellation), CultureInfo.InvariantCulture);
    });

    public Task<DatabaseRows> ReadAsync(
        DatabaseRelation relation, IReadOnlyList<DatabaseColumn> columns, string? where, AnswerFiles rows, Action<long> got, CancellationToken cancellation) =>
        SayingAsync(async () =>
        {
            await using var opened = await session.OpenAsync(cancellation);
            var cells = string.Join(", ", columns.Select(column => column.Expression));
            await using var command = new MySqlCommand($"SELECT {cells} FROM {RelationOf(relation)}{(where is null ? "" : $" WHERE {where}")}", opened);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(SilenceMax);
            try
            {
                await command.PrepareAsync(limit.Token); // its rows come in binary form
                await using var reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess, limit.Token);
                var written = new MySqlRows(reader, columns);
                for (var count = 0L; await reader.ReadAsync(limit.Token);)
                {
                    written.Write(rows);
                    await rows.EndRowAsync(cancellation);
                    if (++count % ReportEvery != 0) continue;
                    got(count);
                    limit.CancelAfter(SilenceMax);
                }

                return new DatabaseRows(written.Count, written.Remarks);
            }
            catch (OperationCanceledException silent) when (!cancellation.IsCancellationRequested)
            {
                throw new TimeoutException($"Nothing came for {SilenceMax.TotalMinutes:0} minutes.", silent);
            }
        });

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static string RelationOf(DatabaseRelation relation) => $"{MySqlText.Quote(relation.Schema)}.{MySqlText.Quote(relation.Name)}";

    private static MySqlDatabase Open(ExtractRequest request, OutboundGuard guard)
    {
        var settings = MySqlSettings.From(request.Options ?? new Dictionary<string, string>());
        return new MySqlDatabase(request.Source, settings, new MySqlSession(request.Source, settings, guard));
    }

    private static async Task<MySqlDataReader> CatalogAsync(MySqlConnection opened, string sql, DatabaseRelation relation, CancellationToken cancellation)
    {
        await using var command = new MySqlCommand(sql, opened);
        command.Parameters.AddWithValue("schema", relation.Schema);
        command.Parameters.AddWithValue("name", relation.Name);
        return await command.ExecuteReaderAsync(cancellation);
    }

    private static long? Number(MySqlDataReader reader, int at) => reader.IsDBNull(at) ? null : Convert.ToInt64(reader.GetValue(at), CultureInfo.InvariantCulture);

    private async Task<T> SayingAsync<T>(Func<Task<T>> ask)
    {
        try
        {
            return await ask();
        }
        catch (Exception failure) when (failure is MySqlException or IOException or SocketException or TimeoutException or AuthenticationException)
        {
            throw MySqlErrors.Of(failure, connection);
        }
    }

    private static class Sql
    {
        public const string Columns = """
            SELECT column_name, data_type, column_type, numeric_precision, numeric_scale, is_nullable
            FROM information_schema.columns WHERE table_schema = @schema AND table_name = @name ORDER BY ordinal_position
            """;

        public const string Keys = """
            SELECT column_name FROM information_schema.statistics
            WHERE table_schema = @schema AND table_name = @name AND index_name = 'PRIMARY' ORDER BY seq_in_index
            """;

        /// <summary>The catalog shows a user what it has some right to.</summary>
        public const string Readable = """
            SELECT count(*) FROM (
                SELECT 1 FROM information_schema.tables
                WHERE table_schema NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys') LIMIT @max) AS readable
            """;

        public const string Statistics =
            "SELECT table_rows, data_length FROM information_schema.tables WHERE table_schema = @schema AND table_name = @name AND table_type = 'BASE TABLE'";
    }
}
