using Agnes.Connectors;
using Agnes.Engine.Extracts;
using Agnes.Engine.Limits;
using Agnes.Engine.Parts;
using Agnes.Engine.Workers;
using Agnes.Protocol;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Campaigns;

/// <summary>
/// Files of exact sizes in <c>AGNES_MEMORY=1GiB</c>: each is loaded, or refused with a sentence, and its child's resident memory is held against its share. What the engine
/// is dealt is its own memory; the runtime and what the engine does not count come on top.
/// </summary>
internal static class LargeFiles
{
    private const long BudgetBytes = 1L << 30;
    private const long MiB = 1L << 20;

    /// <summary>Of the share: what a child may take beyond it.</summary>
    private const double Beyond = 1.25;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private static readonly (string File, string Sql)[] Files =
    [
        // One row group: 12 million rows, 535 MB.
        ("group.parquet", "SELECT range AS a, hash(range) AS b, hash(range * 7) AS c, hash(range * 13) AS d, hash(range * 17) AS e, (hash(range * 19) % 4294967296)::UINTEGER AS f FROM range(12160000)"),
        ("large.json", "SELECT range AS id, 'name ' || range AS name, range % 97 AS n, range * 0.5 AS amount, md5(range::VARCHAR) AS hash FROM range(4730000)"),
        ("wide.csv", $"SELECT {string.Join(", ", Enumerable.Range(0, 1000).Select(column => $"(range * {column + 1}) % 100000 AS c{column}"))} FROM range(60000)"),
        ("wide.parquet", $"SELECT {string.Join(", ", Enumerable.Range(0, 1000).Select(column => $"(range * {column + 1}) % 100000 AS c{column}"))} FROM range(60000)"),
        ("wide.json", $"SELECT {string.Join(", ", Enumerable.Range(0, 1000).Select(column => $"(range * {column + 1}) % 100000 AS c{column}"))} FROM range(20000)"),
    ];

    public static async Task RunAsync(CampaignRun run)
    {
        using var folder = new TemporaryFolder();
        var data = new DataFolder(folder.Path);
        Directory.CreateDirectory(data.Csv);
        _ = new PartStore(data); // makes its folder
        var budget = Budget.FromTotal(BudgetBytes, Environment.ProcessorCount);
        var runner = new ExtractRunner(data, new Scratch(data.Scratch), budget, ConnectorList.All, new WorkerProgram(ServerProcess.Program("agnes-server"), []));
        foreach (var (file, sql) in Files.Take(run.Count))
        {
            var path = Path.Combine(data.Csv, file);
            Write(path, sql);
            var table = Path.GetFileNameWithoutExtension(file) + "_" + Path.GetExtension(file)[1..];
            var clock = System.Diagnostics.Stopwatch.StartNew();
            var extracting = runner.RunAsync(new ExtractRequest("run", "csv", "files", [new TableConfig(table, table, SourceTable: file)]), new Progress<ExtractEvent>(), run.Cancellation, []);
            var peak = await PeakAsync(extracting, run.Cancellation);
            var outcome = await extracting;
            var said = outcome.Failed is [var failed] ? failed.Error : $"{outcome.Ok[0].Rows} rows{string.Concat(outcome.Warnings.Select(warning => $"; {warning}"))}";
            Console.Error.WriteLine($"  {file}: {new FileInfo(path).Length / 1_000_000} MB, {clock.Elapsed.TotalSeconds:0.0} s, peak {peak / MiB} MiB of {budget.Jobs.MemoryBytes / MiB}: {said}");
            run.Add(outcome.Failed.Count > 0 ? "refused" : "loaded");
            if (peak > budget.Jobs.MemoryBytes * Beyond) run.Fail($"{file}: the child took {peak / MiB} MiB of memory, which is more than its share of {budget.Jobs.MemoryBytes / MiB} and a quarter");
            if (outcome.Failed is [var refused] && !refused.Error.Contains("AGNES_MEMORY", StringComparison.Ordinal)) run.Fail($"{file}: it is refused without a word on what to change: {refused.Error}");
            File.Delete(path);
        }
    }

    private static void Write(string path, string sql)
    {
        using var connection = new DuckDBConnection("Data Source=:memory:");
        connection.Open();
        connection.ExecuteUnprepared("SET threads = 1; SET preserve_insertion_order = true");
        var options = Path.GetExtension(path) switch
        {
            ".parquet" => $"FORMAT parquet, COMPRESSION uncompressed, ROW_GROUP_SIZE {(path.Contains("group", StringComparison.Ordinal) ? 20_000_000 : 122_880)}",
            ".json" => "FORMAT json, ARRAY true",
            _ => "FORMAT csv",
        };
        connection.ExecuteUnprepared($"COPY ({sql}) TO {SqlText.Literal(path)} ({options})");
    }

    /// <summary>The most resident memory that any child of this process had while the task ran, as the kernel counts it.</summary>
    private static async Task<long> PeakAsync(Task running, CancellationToken cancellation)
    {
        var peak = 0L;
        while (!running.IsCompleted)
        {
            peak = Math.Max(peak, Children().Select(ProcessMemory.PeakBytes).DefaultIfEmpty(0).Max());
            await Task.WhenAny(running, Task.Delay(LookEvery, cancellation));
        }

        return peak;
    }

    private static IEnumerable<string> Children()
    {
        var parent = $"PPid:\t{Environment.ProcessId}\n";
        return Directory.EnumerateDirectories("/proc").Select(folder => Text(Path.Combine(folder, "status"))).Where(status => status.Contains(parent, StringComparison.Ordinal));
    }

    private static string Text(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return ""; // it has just ended, or is nobody's business
        }
    }
}
