using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Bench.Scenarios;

/// <summary>
/// P13: a table of 10 million rows in PostgreSQL becomes a published table, whole and by what changed; the peer is <c>psql \copy</c> to CSV and the
/// engine's own COPY of that to Parquet, without hashing or publishing.
/// </summary>
internal static class Databases
{
    private const int RowsDefault = 10_000_000;

    /// <summary>Fewer, where somebody looks for what takes the time: <c>P13_ROWS=2000000</c>, and <c>P13_ROUNDS=1</c>.</summary>
    private static readonly int Rows = Number("P13_ROWS", RowsDefault);
    private static readonly int RoundsEach = Number("P13_ROUNDS", 3);
    private static readonly int Changed = Rows / 200;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var cluster = new PostgresCluster();
        var address = await cluster.NewDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(address);
        await ExecuteAsync(database, $"""
            CREATE ROLE reader LOGIN;
            CREATE UNLOGGED TABLE sales (id bigint PRIMARY KEY, customer int NOT NULL, amount numeric(12,2), product text, note text,
                created timestamptz NOT NULL, updated timestamptz NOT NULL, paid boolean);
            INSERT INTO sales SELECT i, i % 50000, (i::bigint * 7919 % 1000003) / 100.0, 'product-' || i % 3000, 'a note of some length about ' || i,
                timestamptz '2026-01-01' + i * interval '1 second', timestamptz '2026-01-01' + i * interval '1 second', i % 3 = 0
                FROM generate_series(1, {Rows}) i;
            CREATE INDEX ON sales (updated);
            GRANT SELECT ON sales TO reader;
            VACUUM ANALYZE sales;
            """);
        await using var world = World.Create();
        world.Environment["AGNES_ALLOWED_PRIVATE_HOSTS"] = cluster.Address;
        await world.StartAsync();
        var name = new NpgsqlConnectionStringBuilder(address).Database!;
        await world.PostAsync("/api/admin/connections", new
        {
            name = "depot",
            kind = "postgres",
            settings = new Dictionary<string, string> { ["host"] = cluster.Address, ["database"] = name, ["user"] = "reader", ["ssl_mode"] = "disable" },
        });
        await RegisterAsync("whole", "full_refresh");
        await RegisterAsync("changing", "incremental");
        await Extraction.SyncAsync(world, "changing");
        var csv = Path.Combine(world.Folder, "peer.csv");
        await using var peer = new LinePeer("node", Peers.Script("copy.mjs"));
        var (whole, copied) = await Rounds.InterleaveAsync(
            _ => Extraction.SyncAsync(world, "whole"),
            async _ =>
            {
                var clock = Stopwatch.StartNew();
                var host = new NpgsqlConnectionStringBuilder(address).Host!;
                await Child.RunAsync("psql", ["-q", "-h", host, "-U", "postgres", "-d", name, "-c", $"\\copy (SELECT * FROM sales) TO '{csv}' CSV HEADER"]);
                await peer.AskAsync(JsonSerializer.Serialize(new { from = csv, to = Path.Combine(world.Folder, "peer.parquet"), threads = 2, memory = "2GB" }));
                return clock.Elapsed.TotalMilliseconds;
            }, RoundsEach);
        List<double> changes = [];
        for (var round = 1; round <= RoundsEach; round++)
        {
            await ExecuteAsync(database, $"UPDATE sales SET paid = NOT paid, updated = timestamptz '2026-06-01' + {round} * interval '1 hour' WHERE id > {Rows - Changed}");
            changes.Add(await Extraction.SyncAsync(world, "changing"));
        }

        var changed = Rounds.Median(changes);
        return
        [
            new Measurement(
                "P13", $"PostgreSQL, {Rows / 1e6:0.#} M rows, whole → published", "ms", whole, copied,
                "≤ 1.0× psql \\copy + COPY", whole <= copied),
            new Measurement("P13", "the same, 0.5 % changed", "ms", changed, copied, "≤ 0.1×", changed <= 0.1 * copied),
        ];

        Task RegisterAsync(string table, string strategy) => world.PostAsync("/api/admin/register-table", new
        {
            name = table,
            source_type = "postgres",
            connection = "depot",
            query_mode = "local",
            source_table = "sales",
            sync_strategy = strategy,
            incremental_column = strategy == "incremental" ? "updated" : null,
        });
    }

    private static int Number(string variable, int otherwise) =>
        Environment.GetEnvironmentVariable(variable) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        foreach (var statement in sql.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            await using var command = database.CreateCommand(statement);
            command.CommandTimeout = 0;
            await command.ExecuteNonQueryAsync();
        }
    }
}
