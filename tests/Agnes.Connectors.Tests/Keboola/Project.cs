using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Connectors.Keboola;
using Agnes.Emulators.Keboola;
using Agnes.Engine.Extracts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Connectors.Tests.Keboola;

/// <summary>An emulated project, and runs that pull from it in real worker processes, with checkpoints that outlive a run.</summary>
internal sealed class Project : IAsyncDisposable
{
    private readonly Workshop _shop = new();
    private readonly ConcurrentDictionary<string, string> _checkpoints = new(StringComparer.Ordinal);
    private int _runs;

    private Project(KeboolaServer server) => Server = server;

    public KeboolaServer Server { get; }

    public List<ExtractEvent> Events { get; } = [];

    public Publication? Published { get; private set; }

    public IReadOnlyDictionary<string, string> Checkpoints => _checkpoints;

    public Dictionary<string, string> Options { get; } = new(StringComparer.Ordinal)
    {
        [KeboolaSettings.TokenOption] = KeboolaServer.Token,
        [KeboolaSettings.AllowedHostsOption] = "127.0.0.1",
        [KeboolaSettings.PollOption] = "0.02",
        [KeboolaSettings.SliceTimeOption] = "2",
        [KeboolaSettings.CallTimeOption] = "2",
        [KeboolaSettings.PauseOption] = "0.02",
    };

    /// <summary>In bytes, of the engine of a run.</summary>
    public long MemoryOfJobs => _shop.Budget.Jobs.MemoryBytes;

    public static CancellationToken Stop => Workshop.Stop;

    public static async Task<Project> OpenAsync()
    {
        var project = new Project(await KeboolaServer.StartAsync());
        project.Options[KeboolaSettings.StackOption] = project.Server.Address;
        project.Options[KeboolaSettings.S3Option] = project.Options[KeboolaSettings.GcsOption] = project.Server.Address;
        return project;
    }

    /// <summary>A table of four columns, of which one is the key, with rows that are what their types say.</summary>
    public ProjectTable AddOrders(string name = "orders", int rows = 10, DateTimeOffset? at = null)
    {
        var table = Server.Add(new ProjectTable($"in.c-crm.{name}", ["id", "day", "amount", "note"], "id"));
        table.Describe("id", "KBC.datatype.basetype", "INTEGER");
        table.Describe("day", "KBC.datatype.basetype", "DATE");
        table.Describe("amount", "KBC.datatype.basetype", "NUMERIC");
        table.Import(at ?? DateTimeOffset.UtcNow.AddDays(-1), Enumerable.Range(1, rows).Select(Order));
        return table;
    }

    public static string?[] Order(int id) => [$"{id}", $"2026-{1 + (id % 12):D2}-{1 + (id % 28):D2}", $"{id}.5", $"note {id}"];

    public static TableConfig Table(string name, string settings = "{}", string mode = "local", string? description = null) =>
        new(name, name, "in.c-crm", name, description, mode, JsonElement.Parse(settings));

    public static TableConfig Materialized(string name, string? query = null) =>
        Table(name, new JsonObject { ["source_query"] = query }.ToJsonString(), "materialized");

    public Task<ExtractOutcome> RunAsync(params TableConfig[] tables) => RunAsync(tables, null, Stop);

    /// <param name="limits">Null: the usual ones.</param>
    public async Task<ExtractOutcome> RunAsync(IReadOnlyList<TableConfig> tables, ExtractLimits? limits, CancellationToken stop)
    {
        lock (Events) Events.Clear();
        var request = new ExtractRequest($"run{++_runs}", "keboola", "keboola", tables,
            Registered: [.. tables.Select(table => table.Name)], Options: Options)
        {
            Checkpoints = new Dictionary<string, string>(_checkpoints, StringComparer.Ordinal),
        };
        var runner = new ExtractRunner(_shop.Data, _shop.Scratch, _shop.Budget, ConnectorList.All);
        var outcome = await runner.RunAsync(request, new Report(Events), stop, [], limits, SaveAsync);
        foreach (var done in outcome.Ok) _checkpoints.TryRemove(done.Name, out _);
        Published = outcome.Publication ?? Published;
        return outcome;
    }

    public async Task<ExtractOutcome> MustAsync(params TableConfig[] tables)
    {
        var outcome = await RunAsync(tables);
        outcome.Failed.ShouldBeEmpty();
        return outcome;
    }

    /// <summary>A table that was added before, by its name alone.</summary>
    public ProjectTable Find(string name) => Server.Find($"in.c-crm.{name}")!;

    /// <summary>As if what a table remembers of its last comparison of keys were so much older.</summary>
    public async Task AgeCursorAsync(string name, TimeSpan by)
    {
        var folder = _shop.Data;
        await using var connection = new DuckDBConnection($"Data Source={folder.ExtractFile("keboola")}");
        await connection.OpenAsync(Stop);
        var cursor = await connection.QueryAsync($"SELECT cursor FROM _columns WHERE table_name = '{name}'", row => row.GetString(0), Stop);
        var aged = JsonNode.Parse(cursor.Single())!;
        aged["reconciled"] = aged["reconciled"]!.GetValue<long>() - (long)by.TotalSeconds;
        var text = SqlText.Literal(aged.ToJsonString());
        await connection.ExecuteAsync($"UPDATE _columns SET cursor = {text} WHERE table_name = '{name}'; CHECKPOINT", Stop);
    }

    public TablePublication Of(string name) => Published!.Tables.Single(table => table.Name == name);

    public string Columns(string name) => string.Join(", ", Of(name).Columns.Select(column => $"{column.Name} {column.Type}"));

    /// <summary>Rows as text: cells divided by bars, rows by spaces.</summary>
    public string Rows(string name, string select = "*", string tail = "ORDER BY ALL")
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        var from = TableSource.FromParts([.. Of(name).Parts.Select(part => _shop.Store.PathOf(part.Sha256))]);
        using var command = new DuckDBCommand($"SELECT {select} FROM ({from}) {tail}", connection);
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(string.Join('|', Enumerable.Range(0, reader.FieldCount)
                .Select(i => reader.IsDBNull(i) ? "NULL" : Convert.ToString(reader.GetValue(i), CultureInfo.InvariantCulture))));
        }

        return string.Join(' ', rows);
    }

    public long Count(string name) => long.Parse(Rows(name, "count(*)", ""), CultureInfo.InvariantCulture);

    public IReadOnlyList<ExportJob> Exports => Server.Jobs.All;

    public void ForgetCheckpoints() => _checkpoints.Clear();

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        _shop.Dispose();
    }

    private Task SaveAsync(ExtractCheckpoint checkpoint, CancellationToken stop)
    {
        _checkpoints[checkpoint.Table] = checkpoint.Value;
        return Task.CompletedTask;
    }

    private sealed class Report(List<ExtractEvent> events) : IProgress<ExtractEvent>
    {
        void IProgress<ExtractEvent>.Report(ExtractEvent value)
        {
            lock (events) events.Add(value);
        }
    }
}
