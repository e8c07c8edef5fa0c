using System.Globalization;
using System.Text;
using Agnes.Connectors;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using DuckDB.NET.Data;
using Npgsql;

namespace Agnes.Testing;

/// <summary>
/// A PostgreSQL with a role that may only read, and an engine that holds the same rows: what is asked of both has to be the same.
/// </summary>
internal sealed class TwinTables : IAsyncDisposable
{
    private const string Kind = "postgres";
    private readonly TemporaryFolder _folder = new();
    private readonly DuckDBConnection _engine = new("Data Source=:memory:");
    private readonly NpgsqlDataSource _database;
    private readonly string _host;
    private int _answers;

    private TwinTables(string address, string host)
    {
        (_database, _host) = (NpgsqlDataSource.Create(address), host);
        Options = new(StringComparer.Ordinal)
        {
            ["host"] = host,
            ["database"] = new NpgsqlConnectionStringBuilder(address).Database!,
            ["user"] = Role,
            ["ssl_mode"] = "disable",
        };
        Tables = Open(Options);
    }

    public IRemoteTables Tables { get; }

    public Dictionary<string, string> Options { get; }

    /// <summary>Where answers are written.</summary>
    public string Folder => _folder.Path;

    public string Role { get; } = $"reader_{Guid.NewGuid():N}";

    /// <param name="address">Of an empty database, for its owner.</param>
    /// <param name="host">Where that role reaches it.</param>
    public static async Task<TwinTables> StartAsync(string address, string host)
    {
        var twins = new TwinTables(address, host);
        await twins.ExecuteAsync($"CREATE ROLE {twins.Role} LOGIN");
        await twins.ExecuteAsync("GRANT USAGE ON SCHEMA public TO PUBLIC");
        await twins.ExecuteAsync($"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {twins.Role}");
        await twins._engine.OpenAsync();
        twins._engine.ExecuteUnprepared("SET TimeZone = 'UTC'", CancellationToken.None);
        return twins;
    }

    public IRemoteTables Open(Dictionary<string, string> options) =>
        RemoteEngineList.All.Single(engine => engine.Kind == Kind).Open(new RemoteOpening("shelf", options, new OutboundGuard([_host])));

    /// <summary>The table of <see cref="RandomQuestions"/>, in both.</summary>
    public async Task FillSalesAsync()
    {
        await ExecuteAsync("""
            CREATE TABLE sales (
                id bigint, amount numeric(21,2), name text COLLATE "und-x-icu", day date, moment timestamp,
                ratio double precision, large boolean, grade smallint, seen timestamptz)
            """);
        await ExecuteAsync("""
            INSERT INTO sales SELECT i, CASE WHEN i % 7 <> 0 THEN (i * 1.25 - 300)::numeric(21,2) END,
                CASE i % 6 WHEN 0 THEN NULL WHEN 1 THEN 'Ärger'
                    WHEN 2 THEN 'apple' WHEN 3 THEN 'Zebra' WHEN 4 THEN '100%\_' ELSE U&' x\00A0' END,
                DATE '2025-12-20' + (i % 100)::integer, TIMESTAMP '2026-01-01' + i * INTERVAL '37 minutes 11.5 seconds',
                CASE WHEN i % 5 <> 0 THEN i / 7.0::double precision END, i % 3 = 0, (i % 4)::smallint,
                CASE WHEN i % 9 <> 0 THEN TIMESTAMPTZ '2026-01-01 00:00:00+00' + i * INTERVAL '53 minutes 1 second' END
            FROM generate_series(1::bigint, 500) t(i)
            """);
        await MirrorAsync("sales");
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Takes a table over to the engine, by the way that all answers go.</summary>
    public async Task MirrorAsync(string table)
    {
        var folder = await AnswerAsync($"SELECT * FROM {table}", [table]);
        _engine.ExecuteUnprepared(
            $"CREATE OR REPLACE TABLE {table} AS {TableSource.FromParts(AnswerFiles.In(folder))}", CancellationToken.None);
    }

    /// <summary>What the database answers, as rows of text.</summary>
    public async Task<List<string>> ThereAsync(string sql, params string[] tables)
    {
        var folder = await AnswerAsync(sql, tables);
        var rows = Here(TableSource.FromParts(AnswerFiles.In(folder)));
        Directory.Delete(folder, recursive: true);
        return rows;
    }

    /// <summary>What the engine answers to the same.</summary>
    public List<string> Here(string sql)
    {
        using var command = new DuckDBCommand($"SELECT * FROM ({sql})", _engine);
        using var reader = command.ExecuteReader();
        var rows = new List<string> { string.Join(
            " | ", Enumerable.Range(0, reader.FieldCount)
            .Select(at => $"{reader.GetName(at)} {ParquetTypes.Storable(reader.GetDataTypeName(at))}")) };
        while (reader.Read())
        {
            var row = new StringBuilder();
            for (var i = 0; i < reader.FieldCount; i++) row.Append(i > 0 ? " | " : "")
                .Append(reader.IsDBNull(i) ? "NULL" : Text(reader.GetValue(i)));
            rows.Add(row.ToString());
        }

        return rows;
    }

    /// <returns>The folder of its files.</returns>
    public async Task<string> AnswerAsync(string sql, IReadOnlyList<string> tables)
    {
        var folder = _folder[$"answer{Interlocked.Increment(ref _answers)}"];
        var named = tables.Select(table => new RemoteTable(table, RelationOf(table)));
        await Tables.AnswerAsync(new RemoteQuestion(sql, [.. named], 10_000_000, 1L << 30), folder, CancellationToken.None);
        return folder;
    }

    public static string RelationOf(string table) => $"\"public\".{SqlText.Identifier(table)}";

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)Tables).DisposeAsync();
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
        _folder.Dispose();
    }

    /// <summary>Sums of floating-point numbers depend on the order of their parts: their last digits are not compared.</summary>
    private static string Text(object value) => value switch
    {
        double number => number.ToString("G12", CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToHexString(bytes),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
