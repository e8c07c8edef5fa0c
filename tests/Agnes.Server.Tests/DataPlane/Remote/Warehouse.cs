using System.Text.Json.Nodes;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane.Remote;

/// <summary>A kind of source that a test adds: its tables stay in a PostgreSQL, which answers in a process of its own.</summary>
internal sealed class WarehouseKind : SourceKind
{
    private readonly List<PostgresTables> _opened = [];

    public override string Name => "warehouse";

    public override string Title => "A warehouse";

    public override IReadOnlyList<string> Modes => [TableRules.ModeRemote];

    public override bool IsAsked => true;

    public override bool HasDefault => false;

    public override IReadOnlyList<SourceSetting> ConnectionSettings => [new("address") { IsRequired = true }, new("password", "secret")];

    /// <summary>In the order in which they were opened.</summary>
    public IReadOnlyList<PostgresTables> Opened => _opened;

    public override TableRow Complete(TableRow row) => row with { QueryMode = TableRules.ModeRemote };

    public override IRemoteTables Ask(Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services)
    {
        var address = new NpgsqlConnectionStringBuilder(options["address"]) { Password = options.GetValueOrDefault("password"), Timeout = 3 };
        _opened.Add(new PostgresTables(NpgsqlDataSource.Create(address.ConnectionString), connection.Name));
        return _opened[^1];
    }
}

/// <summary>
/// A shop with a connection <c>depot</c> to a PostgreSQL: its tables <c>sales</c> and <c>endless</c> (whose first row never comes) are granted to the
/// analyst, <c>payroll</c> is not.
/// </summary>
public sealed class Warehouse(Postgres postgres) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;

    internal Shop Shop { get; private set; } = null!;

    internal WarehouseKind Kind { get; } = new();

    /// <summary>Where its tables are.</summary>
    public string Address { get; private set; } = "";

    /// <summary>The one that is open now.</summary>
    internal PostgresTables Depot => Kind.Opened.Last(one => one.Connection == "depot");

    public async ValueTask InitializeAsync()
    {
        Address = await postgres.NewDatabaseAsync();
        _database = NpgsqlDataSource.Create(Address);
        await _database.ExecuteAsync("""
            CREATE TABLE sales AS SELECT i AS id, (i * 1.5)::numeric(21,1) AS amount, 'customer ' || i % 10 AS customer, DATE '2026-01-01' + i::integer AS day
            FROM generate_series(0::bigint, 999) t(i)
            """);
        await _database.ExecuteAsync("CREATE TABLE payroll AS SELECT 'secret' AS who");
        // Cheap by the planner's guess, endless in truth.
        await _database.ExecuteAsync("CREATE FUNCTION forever() RETURNS bigint LANGUAGE plpgsql COST 1 AS 'BEGIN PERFORM pg_sleep(600); RETURN 1; END'");
        await _database.ExecuteAsync("CREATE VIEW endless AS SELECT forever() AS id");
        await _database.ExecuteAsync("ANALYZE");

        var kinds = new SourceKinds([.. SourceList.All, Kind]);
        Shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, adjust: services => services.Replace(ServiceDescriptor.Singleton(kinds)));
        await ConnectAsync("depot", Address);
        foreach (var table in (string[])["sales", "endless", "payroll"]) await RegisterAsync(table, "depot", table);
        foreach (var table in (string[])["sales", "endless"]) await Shop.GrantAsync(table);
    }

    public async ValueTask DisposeAsync()
    {
        await Shop.DisposeAsync();
        Kind.Opened.ShouldAllBe(one => one.IsClosed, "the server's end is the connections' end");
        await _database.DisposeAsync();
    }

    public async Task ConnectAsync(string name, string address)
    {
        var body = new JsonObject { ["name"] = name, ["kind"] = Kind.Name, ["settings"] = new JsonObject { ["address"] = address } };
        (await Shop.AsAdminAsync("POST", "/api/admin/connections", body.ToJsonString())).Status.ShouldBe(201);
    }

    public async Task ChangeAsync(string name, string address)
    {
        var body = new JsonObject { ["settings"] = new JsonObject { ["address"] = address } };
        (await Shop.AsAdminAsync("PUT", $"/api/admin/connections/{name}", body.ToJsonString())).Status.ShouldBe(200);
    }

    public Task RegisterAsync(string name, string connection, string relation) => Shop.RegisterAsync(new JsonObject
    {
        ["name"] = name,
        ["source_type"] = Kind.Name,
        ["connection"] = connection,
        ["bucket"] = "public",
        ["source_table"] = relation,
    }.ToJsonString());

    public Task ExecuteAsync(string sql) => _database.ExecuteAsync(sql);

    public Task UntilRunningAsync(long count) => _database.UntilRunningAsync(count);
}
