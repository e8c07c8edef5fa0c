using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Agnes.Connectors;
using Agnes.Emulators.Keboola;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Testing;

/// <summary>
/// Tables of an emulated project that change at random, each pulled twice: by what has changed, and whole. Both must hold the same rows,
/// whatever is killed and whatever goes wrong in between.
/// </summary>
public sealed class ChangingTables : IAsyncDisposable
{
    private static readonly string[] Columns = ["id", "part", "day", "amount", "note"];
    private static readonly string[] Types = ["INTEGER", "STRING", "DATE", "NUMERIC", "STRING"];
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, string> _checkpoints = new(StringComparer.Ordinal);
    private readonly KeboolaServer _server;
    private readonly ExtractRunner _runner;
    private readonly PartStore _store;
    private readonly Random _random;
    private readonly List<OneTable> _tables;
    private Publication? _published;
    private int _runs;

    private ChangingTables(KeboolaServer server, int seed, int tables, WorkerProgram? program)
    {
        _server = server;
        _random = new Random(seed);
        var data = new DataFolder(_folder.Path);
        _store = new PartStore(data);
        _runner = new ExtractRunner(data, new Scratch(data.Scratch), Budget.FromTotal(1L << 30, 2), ConnectorList.All, program);
        _tables = [.. Enumerable.Range(0, tables).Select(Make)];
    }

    /// <summary>Runs that were killed, and troubles that were met, so far.</summary>
    public int Kills { get; private set; }

    public int Faults { get; private set; }

    public int Compared { get; private set; }

    public static async Task<ChangingTables> OpenAsync(int seed, int tables, WorkerProgram? program = null) =>
        new(await KeboolaServer.StartAsync(), seed, tables, program);

    /// <summary>Changes, pulls until a run ends by itself, and compares.</summary>
    /// <returns>What is not the same, for each table of which something is not.</returns>
    public async Task<IReadOnlyList<string>> RoundAsync(bool kills, CancellationToken stop)
    {
        _server.Ahead += TimeSpan.FromHours(_random.Next(4) == 0 ? 30 : _random.Next(1, 20));
        _server.Form = new FileForm
        {
            Cloud = (Cloud)_random.Next(4),
            SliceRows = _random.Next(3) == 0 ? null : _random.Next(1, 40),
            IsPacked = _random.Next(2) == 0,
            HasHeaderInFirstSlice = _random.Next(2) == 0,
        };
        foreach (var table in _tables) Change(table);
        _server.Ahead += TimeSpan.FromMinutes(_random.Next(1, 30));
        var differences = await PullAsync(kills, stop);
        foreach (var table in _tables.Where(_ => differences.Count == 0)) differences.AddRange(Compare(table));
        return differences;
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    private OneTable Make(int index)
    {
        var id = $"in.c-any.t{index}";
        string[] keys = _random.Next(2) == 0 ? ["id"] : ["part", "id"];
        var table = _server.Add(new ProjectTable(id, Columns, keys));
        foreach (var (column, type) in Columns.Zip(Types)) table.Describe(column, "KBC.datatype.basetype", type);
        var partitioned = _random.Next(3) > 0;
        var window = _random.Next(3) switch { 0 => "0", 1 => "1", _ => "null" };
        var granularity = (string[])["day", "month", "year"];
        var settings = $$"""
            {"sync_strategy":"{{(partitioned ? "partitioned" : "incremental")}}","partition_by":"day","incremental_window_days":{{window}},
            "partition_granularity":"{{granularity[_random.Next(3)]}}","reconcile_every_days":1}
            """;
        return new OneTable(table, settings, keys);
    }

    private void Change(OneTable table)
    {
        var isFirst = table.There.RowCount == 0;
        for (var imports = _random.Next(isFirst ? 1 : 0, 4); imports > 0; imports--)
        {
            // The first rows may have been imported long ago, with gaps.
            var at = _server.Now - (isFirst ? TimeSpan.FromDays(_random.Next(0, 400)) : TimeSpan.FromMinutes(_random.Next(1, 30)));
            table.There.Import(at, Enumerable.Range(0, _random.Next(1, 60)).Select(_ => Row()));
        }

        if (_random.Next(3) > 0) return;
        var gone = _random.Next(7);
        foreach (var row in table.There.Rows.Where(IsGone)) table.Gone.Add(table.KeyOf(row));
        table.There.Delete(IsGone);

        bool IsGone(string?[] row) => int.Parse(row[0]!, CultureInfo.InvariantCulture) % 7 == gone;
    }

    private string?[] Row() =>
    [
        $"{_random.Next(80)}",
        _random.Next(5) == 0 ? "" : $"p{_random.Next(3)}",
        _random.Next(8) == 0 ? "" : $"202{_random.Next(5, 7)}-{_random.Next(1, 13):D2}-{_random.Next(1, 29):D2}",
        _random.Next(6) == 0 ? "no number" : string.Create(CultureInfo.InvariantCulture, $"{_random.Next(1000) / 4.0}"),
        _random.Next(6) switch { 0 => "", 1 => "a \"quoted\"\nline, and č", _ => $"note {_random.Next(1000)}" },
    ];

    private async Task<List<string>> PullAsync(bool kills, CancellationToken stop)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            if (_random.Next(3) == 0) Break();
            using var killing = CancellationTokenSource.CreateLinkedTokenSource(stop);
            if (kills && _random.Next(2) == 0) killing.CancelAfter(_random.Next(200, 3000));
            try
            {
                var outcome = await RunAsync(killing.Token);
                if (outcome.Failed.Count == 0) return [];
                Faults++;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                Kills++;
            }
        }

        return ["It never came to an end, although nothing went wrong for long."];
    }

    private void Break()
    {
        var step = (Step)_random.Next(1, 7);
        _server.Break(step, _random.Next(5) switch
        {
            0 => new Trouble(500),
            1 => new Trouble(429) { RetryAfterSeconds = 0 },
            2 => new Trouble { BreaksOff = true },
            3 => new Trouble(404),
            _ => step is Step.Slice ? new Trouble { IsCutOff = true } : new Trouble { IsNoJson = true },
        });
    }

    private async Task<ExtractOutcome> RunAsync(CancellationToken stop)
    {
        TableConfig[] tables =
        [
            .. _tables.Select(table => Config(table.There.Name, table.There.Name, table.Settings)),
            .. _tables.Select(table => Config($"{table.There.Name}_whole", table.There.Name, "{}")),
        ];
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["stack_url"] = _server.Address,
            ["storage_token"] = KeboolaServer.Token,
            ["allowed_private_hosts"] = "127.0.0.1",
            ["s3_service"] = _server.Address,
            ["gcs_service"] = _server.Address,
            ["poll_interval_sec"] = "0.02",
            ["pause_sec"] = "0.02",
        };
        var request = new ExtractRequest($"run{++_runs}", "keboola", "keboola", tables,
            Registered: [.. tables.Select(table => table.Name)], Options: options)
        {
            Checkpoints = new Dictionary<string, string>(_checkpoints, StringComparer.Ordinal),
        };
        var outcome = await _runner.RunAsync(request, new Progress<ExtractEvent>(), stop, [], save: (saved, _) =>
        {
            _checkpoints[saved.Table] = saved.Value;
            return Task.CompletedTask;
        });
        foreach (var done in outcome.Ok) _checkpoints.TryRemove(done.Name, out _);
        _published = outcome.Publication ?? _published;
        return outcome;
    }

    private static TableConfig Config(string name, string source, string settings) =>
        new(name, name, "in.c-any", source, Settings: JsonElement.Parse(settings));

    /// <summary>Rows that are gone may be here still, until keys were compared.</summary>
    private IEnumerable<string> Compare(OneTable table)
    {
        Compared++;
        var (changed, whole) = (RowsOf(table.There.Name), RowsOf($"{table.There.Name}_whole"));
        if (whole.Count != table.There.RowCount)
            yield return $"{table.There.Id}: read whole it has {whole.Count} of {table.There.RowCount} rows";
        var more = changed.Except(whole).Where(row => !table.Gone.Contains(table.KeyOf(row.Split('\u001f')))).ToList();
        var less = whole.Except(changed).ToList();
        if (changed.Count != changed.Distinct(StringComparer.Ordinal).Count()) yield return $"{table.There.Id}: a row is there twice";
        if (more.Count + less.Count > 0)
        {
            yield return $"{table.There.Id} {table.Settings}: {more.Count} rows too many, {less.Count} too few, such as "
                + (more.Count > 0 ? more : less)[0];
        }


        var here = changed.Select(row => table.KeyOf(row.Split('\u001f'))).ToHashSet(StringComparer.Ordinal);
        table.Gone.RemoveWhere(key => !here.Contains(key) || whole.Any(row => table.KeyOf(row.Split('\u001f')) == key));
        if (table.GoneSince is { } since
            && _server.Now - since > TimeSpan.FromDays(2.5)) yield return $"{table.There.Id}: rows that are gone were not found in time";
        table.GoneSince = table.Gone.Count == 0 ? null : table.GoneSince ?? _server.Now;
    }

    /// <summary>Cells as text, in the order of the columns.</summary>
    private List<string> RowsOf(string name)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        var parts = _published!.Tables.Single(table => table.Name == name).Parts;
        var list = string.Join(", ", Columns.Select(column => $"coalesce(CAST({column} AS VARCHAR), '')"));
        using var command = new DuckDBCommand(
            $"SELECT concat_ws(chr(31), {list}) FROM ({TableSource.FromParts([.. parts.Select(part => _store.PathOf(part.Sha256))])})",
            connection);
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read()) rows.Add(reader.GetString(0));
        return rows;
    }

    private sealed class OneTable(ProjectTable there, string settings, string[] keys)
    {
        public ProjectTable There => there;

        public string Settings => settings;

        public HashSet<string> Gone { get; } = new(StringComparer.Ordinal);

        public DateTimeOffset? GoneSince { get; set; }

        public string KeyOf(IReadOnlyList<string?> row) => string.Join('|', keys.Select(key => row[Array.IndexOf(Columns, key)]));
    }
}
