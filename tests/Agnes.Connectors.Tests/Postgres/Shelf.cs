using System.Text;
using Agnes.Connectors.Postgres;
using Agnes.Engine.Extracts;
using Agnes.Engine.Outbound;
using Agnes.Engine.Query.Remote;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;
using Npgsql;

[assembly: AssemblyFixture(typeof(Postgres))]

namespace Agnes.Connectors.Tests.Postgres;

/// <summary>
/// A database with a role that may only read, and an engine that holds the same rows: what is asked of both has to be the same.
/// </summary>
public sealed class Shelf(Testing.Postgres postgres) : IAsyncLifetime
{
    private readonly TemporaryFolder _folder = new();
    private readonly DuckDBConnection _engine = new("Data Source=:memory:");
    private NpgsqlDataSource _database = null!;
    private int _answers;

    internal IRemoteTables Tables { get; private set; } = null!;

    internal Dictionary<string, string> Options { get; private set; } = null!;

    public string Role { get; } = $"reader_{Guid.NewGuid():N}";

    public async ValueTask InitializeAsync()
    {
        var address = await postgres.NewDatabaseAsync();
        _database = NpgsqlDataSource.Create(address);
        await ExecuteAsync($"CREATE ROLE {Role} LOGIN");
        await ExecuteAsync("GRANT USAGE ON SCHEMA public TO PUBLIC");
        await ExecuteAsync($"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {Role}");
        Options = new(StringComparer.Ordinal)
        {
            ["host"] = postgres.Address,
            ["database"] = new NpgsqlConnectionStringBuilder(address).Database!,
            ["user"] = Role,
            ["ssl_mode"] = "disable",
        };
        Tables = Open(Options);
        await _engine.OpenAsync();
        _engine.ExecuteUnprepared("SET TimeZone = 'UTC'", CancellationToken.None);
    }

    internal IRemoteTables Open(Dictionary<string, string> options) =>
        RemoteEngineList.All.Single(engine => engine.Kind == PostgresSettings.Kind)
            .Open(new RemoteOpening("shelf", options, new OutboundGuard([postgres.Address])));

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)Tables).DisposeAsync();
        await _engine.DisposeAsync();
        await _database.DisposeAsync();
        _folder.Dispose();
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
        return Rows(TableSource.FromParts(AnswerFiles.In(folder)));
    }

    /// <summary>What the engine answers to the same.</summary>
    public List<string> Here(string sql) => Rows(sql);

    public async Task<string> AnswerAsync(string sql, IReadOnlyList<string> tables)
    {
        var folder = _folder[$"answer{Interlocked.Increment(ref _answers)}"];
        var named = tables.Select(table => new RemoteTable(table, $"\"public\".{SqlText.Identifier(table)}"));
        await Tables.AnswerAsync(new RemoteQuestion(sql, [.. named], 10_000_000, 1L << 30), folder, CancellationToken.None);
        return folder;
    }

    private List<string> Rows(string sql)
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

    /// <summary>Sums of floating-point numbers depend on the order of their parts: their last digits are not compared.</summary>
    private static string Text(object value) => value switch
    {
        double number => number.ToString("G12", System.Globalization.CultureInfo.InvariantCulture),
        byte[] bytes => Convert.ToHexString(bytes),
        IFormattable formattable => formattable.ToString(null, System.Globalization.CultureInfo.InvariantCulture),
        _ => value.ToString()!,
    };
}
