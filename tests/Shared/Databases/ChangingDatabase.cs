using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Agnes.Connectors;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Publishing;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using DuckDB.NET.Data;

namespace Agnes.Testing;

/// <summary>A database that tables are made and changed in.</summary>
/// <param name="Kind">The connector's name.</param>
/// <param name="Options">As the connector reads them.</param>
/// <param name="TextType">A type to cast to that holds any cell's text.</param>
/// <param name="TimeType">Of times without a zone, to the second.</param>
/// <param name="ExecuteAsync">Runs statements, as its owner.</param>
/// <param name="LinesAsync">The first column of a query's rows, as text.</param>
/// <param name="BreakAsync">Ends the connections of whoever reads.</param>
public sealed record ChangedDatabase(
    string Kind, IReadOnlyDictionary<string, string> Options, string TextType, string TimeType, Func<string, Task> ExecuteAsync,
    Func<string, Task<List<string>>> LinesAsync, Func<Task> BreakAsync);

/// <summary>
/// Tables of a real database that change at random and are pulled by what changed in them, by every strategy: what is here must be what is
/// there, whatever is killed and whichever connection breaks in between.
/// </summary>
public sealed class ChangingDatabase : IDisposable
{
    private static readonly string[] Columns = ["id", "part", "day", "seen", "amount", "note"];
    private static readonly DateTime Begin = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private const int LagMinutes = 15;
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentDictionary<string, string> _checkpoints = new(StringComparer.Ordinal);
    private readonly ChangedDatabase _database;
    private readonly ExtractRunner _runner;
    private readonly PartStore _store;
    private readonly Random _random;
    private readonly List<OneTable> _tables;
    private Publication? _published;
    private DateTime _now = Begin;
    private int _runs;

    private ChangingDatabase(ChangedDatabase database, int seed, int tables, WorkerProgram? program)
    {
        _database = database;
        _random = new Random(seed);
        var data = new DataFolder(_folder.Path);
        _store = new PartStore(data);
        _runner = new ExtractRunner(data, new Scratch(data.Scratch), Budget.FromTotal(1L << 30, 2), ConnectorList.All, program);
        _tables = [.. Enumerable.Range(0, tables).Select(index => Make($"t{seed & 0xffff}_{index}"))];
    }

    /// <summary>Runs that were killed, runs of which a table failed, and tables that were compared, so far.</summary>
    public int Kills { get; private set; }

    public int Faults { get; private set; }

    public int Compared { get; private set; }

    /// <param name="seed">Of everything that is random; two of one seed cannot be in one database.</param>
    public static async Task<ChangingDatabase> OpenAsync(ChangedDatabase database, int seed, int tables, WorkerProgram? program = null)
    {
        var changing = new ChangingDatabase(database, seed, tables, program);
        foreach (var table in changing._tables)
        {
            await database.ExecuteAsync($"""
                CREATE TABLE {table.Name} (id int NOT NULL, part varchar(20) NOT NULL, day date, seen {database.TimeType}, amount numeric(10,2),
                    note varchar(100), PRIMARY KEY ({string.Join(", ", table.Keys)}))
                """);
        }

        return changing;
    }

    /// <summary>Changes, pulls until a run ends by itself, and compares.</summary>
    /// <returns>What is not the same, for each table of which something is not.</returns>
    public async Task<IReadOnlyList<string>> RoundAsync(bool kills, CancellationToken stop)
    {
        _now += TimeSpan.FromMinutes(_random.Next(1, 3000));
        foreach (var table in _tables) await ChangeAsync(table);
        if (!await PullAsync(kills, stop)) return ["It never came to an end, although nothing went wrong for long."];
        var differences = new List<string>();
        foreach (var table in _tables) differences.AddRange(await CompareAsync(table));
        return differences;
    }

    public void Dispose() => _folder.Dispose();

    private OneTable Make(string name)
    {
        var strategy = _random.Next(3);
        var how = strategy switch
        {
            0 => """incremental","incremental_column":"seen" """,
            1 => """partitioned","partition_by":"day","incremental_column":"seen" """,
            _ => """partitioned","partition_by":"day","incremental_window_days":4000 """,
        };
        var granularity = ((string[])["day", "month", "year"])[_random.Next(3)];
        var isReconciled = strategy == 2 || _random.Next(2) == 0;
        var hasLag = _random.Next(2) == 0;
        var settings = $$"""
            {"sync_strategy":"{{how}},"partition_granularity":"{{granularity}}","lag":"{{(hasLag ? $"{LagMinutes}m" : "0s")}}",
            "reconcile_every_days":{{(isReconciled ? "0" : "null")}}}
            """;
        return new OneTable(name, settings, _random.Next(2) == 0 ? ["id"] : ["part", "id"], isReconciled, hasLag);
    }

    private async Task ChangeAsync(OneTable table)
    {
        if (table.IsMade && _random.Next(4) == 0)
        {
            var gone = $"id % 7 = {_random.Next(7)}";
            table.Gone.UnionWith(await _database.LinesAsync($"SELECT {KeyIn(table)} FROM {table.Name} WHERE {gone}"));
            await _database.ExecuteAsync($"DELETE FROM {table.Name} WHERE {gone}");
        }

        if (table.IsMade && _random.Next(4) == 0) return;
        table.IsMade = true;
        var rows = Enumerable.Range(0, _random.Next(1, 80)).Select(_ => Row(table)).DistinctBy(row => table.KeyOf(row)).ToList();
        var same = string.Join(" OR ", rows.Select(row => $"({string.Join(" AND ", table.Keys.Select(key => $"{key} = {Of(row, key)}"))})"));
        await _database.ExecuteAsync($"""
            DELETE FROM {table.Name} WHERE {same};
            INSERT INTO {table.Name} VALUES {string.Join(", ", rows.Select(row => $"({string.Join(", ", row)})"))}
            """);
        table.Gone.ExceptWith(rows.Select(row => table.KeyOf([.. row.Select(cell => cell.Trim('\''))])));
    }

    /// <summary>Literals. Times are those of now, less what the lag allows.</summary>
    private string[] Row(OneTable table)
    {
        var at = _now - TimeSpan.FromMinutes(table.HasLag ? _random.Next(LagMinutes - 1) : 0);
        return
        [
            $"{_random.Next(60)}",
            $"'p{_random.Next(3)}'",
            _random.Next(8) == 0 ? "NULL" : $"'202{_random.Next(5, 7)}-{_random.Next(1, 13):D2}-{_random.Next(1, 29):D2}'",
            _random.Next(10) == 0 ? "NULL" : $"'{at.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)}'",
            _random.Next(6) == 0 ? "NULL" : (_random.Next(-4000, 4000) / 4.0m).ToString(CultureInfo.InvariantCulture),
            _random.Next(6) switch { 0 => "NULL", 1 => "'a \"quoted\"\nline, and č'", 2 => "''", _ => $"'note {_random.Next(1000)}'" },
        ];
    }

    private async Task<bool> PullAsync(bool kills, CancellationToken stop)
    {
        for (var attempt = 0; attempt < 20; attempt++)
        {
            using var killing = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var after = _random.Next(200, 2500);
            var harm = kills ? _random.Next(4) : 3;
            if (harm == 0) killing.CancelAfter(after);
            var breaking = harm == 1 ? BreakAsync(after, stop) : Task.CompletedTask;
            try
            {
                var outcome = await RunAsync(killing.Token);
                if (outcome.Failed.Count == 0) return true;
                Faults++;
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                Kills++;
            }

            await breaking;
        }

        return false;
    }

    private async Task BreakAsync(int after, CancellationToken stop)
    {
        await Task.Delay(after, stop);
        await _database.BreakAsync();
    }

    private async Task<ExtractOutcome> RunAsync(CancellationToken stop)
    {
        TableConfig[] tables = [.. _tables.Select(table => new TableConfig(table.Name, table.Name, Settings: JsonElement.Parse(table.Settings)))];
        var request = new ExtractRequest($"run{++_runs}", "depot", _database.Kind, tables,
            Registered: [.. tables.Select(table => table.Name)], Options: new Dictionary<string, string>(_database.Options, StringComparer.Ordinal))
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

    /// <summary>Rows that are gone may be here still, where keys are not compared.</summary>
    private async Task<IEnumerable<string>> CompareAsync(OneTable table)
    {
        Compared++;
        var cells = string.Join(", ", Columns.Select(column => $"coalesce(CAST({column} AS {_database.TextType}), '')"));
        var there = await _database.LinesAsync($"SELECT concat_ws('|', {cells}) FROM {table.Name}");
        var here = RowsOf(table.Name);
        var more = here.Except(there).Where(row => table.IsReconciled || !table.Gone.Contains(table.KeyOf(row.Split('|')))).ToList();
        var less = there.Except(here).ToList();
        var said = new List<string>();
        if (here.Count != here.Distinct(StringComparer.Ordinal).Count()) said.Add($"{table.Name}: a row is there twice");
        if (more.Count + less.Count > 0)
        {
            said.Add($"{table.Name} {table.Settings}, {string.Join('+', table.Keys)}: {more.Count} rows too many, {less.Count} too few, such as "
                + (more.Count > 0 ? more : less)[0]);
        }

        return said;
    }

    private List<string> RowsOf(string name)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        var parts = _published!.Tables.Single(table => table.Name == name).Parts;
        var cells = string.Join(", ", Columns.Select(column => $"coalesce(CAST({column} AS VARCHAR), '')"));
        using var command = new DuckDBCommand(
            $"SELECT concat_ws('|', {cells}) FROM ({TableSource.FromParts([.. parts.Select(part => _store.PathOf(part.Sha256))])})", connection);
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read()) rows.Add(reader.GetString(0));
        return rows;
    }

    private static string Of(string[] row, string column) => row[Array.IndexOf(Columns, column)];

    private static string KeyIn(OneTable table) => $"concat_ws('|', {string.Join(", ", table.Keys)})";

    private sealed class OneTable(string name, string settings, string[] keys, bool isReconciled, bool hasLag)
    {
        public string Name => name;

        public string Settings => settings;

        public string[] Keys => keys;

        public bool IsReconciled => isReconciled;

        public bool HasLag => hasLag;

        public bool IsMade { get; set; }

        public HashSet<string> Gone { get; } = new(StringComparer.Ordinal);

        public string KeyOf(IReadOnlyList<string> row) => string.Join('|', keys.Select(key => row[Array.IndexOf(Columns, key)]));
    }
}
