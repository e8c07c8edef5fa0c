using System.Diagnostics;
using System.Globalization;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Campaigns;

/// <summary>A real PostgreSQL with one table that is too large to move without a thought, and a role that may only read it.</summary>
internal sealed class LargeTable : IAsyncDisposable
{
    public const string Name = "events";
    public const long Rows = 10_000_000;
    private const string Role = "reader";

    /// <summary>Of the rows' texts; with the other columns it is what the answer is at least.</summary>
    public const long BytesMin = 2L << 30;

    /// <summary>Texts that no compression folds into nothing.</summary>
    private static readonly string MakeSql = string.Create(CultureInfo.InvariantCulture, $"""
        CREATE UNLOGGED TABLE {Name} AS
        SELECT i AS id, (i % 100)::smallint AS grade, DATE '2025-01-01' + (i % 365)::integer AS day, (i * 0.25)::numeric(18,2) AS amount,
            encode(sha512(i::text::bytea), 'hex') || encode(sha512((-i)::text::bytea), 'hex') AS payload
        FROM generate_series(1::bigint, {Rows}) t(i)
        """);

    private readonly PostgresCluster _cluster = new("shared_preload_libraries=pg_stat_statements");
    private NpgsqlDataSource _owner = null!;

    public string Host => _cluster.Address;

    public string Database { get; private set; } = "";

    public string User => Role;

    public static async Task<LargeTable> MakeAsync(CancellationToken cancellation)
    {
        var table = new LargeTable();
        try
        {
            var address = await table._cluster.NewDatabaseAsync();
            table.Database = new NpgsqlConnectionStringBuilder(address).Database!;
            table._owner = NpgsqlDataSource.Create($"{address};Command Timeout=0");
            var clock = Stopwatch.StartNew();
            foreach (var sql in (string[])["CREATE EXTENSION pg_stat_statements", $"CREATE ROLE {Role} LOGIN", MakeSql])
                await table.ExecuteAsync(sql, cancellation);
            await table.ExecuteAsync($"GRANT SELECT ON {Name} TO {Role}", cancellation);
            await table.ExecuteAsync($"ANALYZE {Name}", cancellation);
            var took = string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed.TotalSeconds:0.0} s");
            Console.Error.WriteLine($"  {Rows} rows made in {took}");
            return table;
        }
        catch
        {
            await table.DisposeAsync();
            throw;
        }
    }

    /// <summary>The first row of a statement that the owner runs, as text.</summary>
    public async Task<string[]> RowAsync(string sql, CancellationToken cancellation)
    {
        await using var command = _owner.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        await reader.ReadAsync(cancellation);
        var cells = new string[reader.FieldCount];
        for (var at = 0; at < cells.Length; at++) cells[at] = Convert.ToString(reader.GetValue(at), CultureInfo.InvariantCulture)!;
        return cells;
    }

    public Task ForgetStatementsAsync(CancellationToken cancellation) => ExecuteAsync("SELECT pg_stat_statements_reset()", cancellation);

    /// <summary>
    /// What the role has had run over the table since it was forgotten, each as often as it was run. A plan that is only looked at is none.
    /// </summary>
    public async Task<List<string>> StatementsAsync(CancellationToken cancellation)
    {
        await using var command = _owner.CreateCommand($"""
            SELECT s.query, s.calls FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
            WHERE r.rolname = '{Role}' AND s.query LIKE '%{Name}%' AND s.query NOT LIKE 'EXPLAIN%'
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var found = new List<string>();
        while (await reader.ReadAsync(cancellation)) found.AddRange(Enumerable.Repeat(reader.GetString(0), (int)reader.GetInt64(1)));
        return found;
    }

    /// <summary>Whether the role has something under way, or a transaction open.</summary>
    public async Task<bool> IsAskedAsync(CancellationToken cancellation) =>
        (await RowAsync($"SELECT count(*) FROM pg_stat_activity WHERE usename = '{Role}' AND state <> 'idle'", cancellation))[0] != "0";

    /// <summary>Whether rows of the table are under way.</summary>
    public async Task<bool> IsReadAsync(CancellationToken cancellation) =>
        (await RowAsync(
            $"SELECT count(*) FROM pg_stat_activity WHERE usename = '{Role}' AND state = 'active' AND query LIKE '%{Name}%' "
            + "AND query NOT LIKE 'EXPLAIN%'",
            cancellation))[0] != "0";

    public async ValueTask DisposeAsync()
    {
        if (_owner is not null) await _owner.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    private async Task ExecuteAsync(string sql, CancellationToken cancellation)
    {
        await using var command = _owner.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(cancellation);
    }
}
