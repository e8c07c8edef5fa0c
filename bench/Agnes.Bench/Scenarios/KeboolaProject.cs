using System.Globalization;
using Agnes.Campaigns;
using Agnes.Emulators.Keboola;

namespace Agnes.Bench.Scenarios;

/// <summary>
/// P13k: a Keboola project of 60 tables, one of them 20 million rows in 48 monthly partitions, from the emulator, which makes and packs the
/// rows on the same two processors: the first load, then 0.5 % of the rows changed in two months, then what a laptop fetches of that.
/// </summary>
internal static class KeboolaProject
{
    private const int Rows = 20_000_000;
    private const int Changed = Rows / 200;
    private const int Days = 1_461; // four years
    private const int SmallTables = 59;
    private const int SmallRows = 10_000;
    private const double MemoryMax = 512;
    private const int ChangedPartsMax = 3;
    private static readonly DateTimeOffset First = new(2022, 12, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly string[] Columns = ["id", "day", "customer", "amount", "product", "note"];

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        await using var project = await KeboolaServer.StartAsync();
        project.Form = new FileForm { SliceRows = 50_000 };
        var agnes = await CommandLine.PublishedAsync();
        await using var world = World.Create();
        world.Environment["AGNES_ALLOWED_PRIVATE_HOSTS"] = "127.0.0.1";
        world.Environment["KBC_STACK_URL"] = project.Address;
        world.Environment["KBC_STORAGE_TOKEN"] = KeboolaServer.Token;
        world.Environment["AGNES_KEBOOLA_POLL_INTERVAL_SEC"] = "1";
        var large = AddLarge(project);
        string[] small = [.. Enumerable.Range(0, SmallTables).Select(table => $"small_{table}")];
        foreach (var table in small)
        {
            var made = project.Add(new ProjectTable($"in.c-crm.{table}", ["id", "text"], "id"));
            made.Import(First, Enumerable.Range(0, SmallRows).Select(row => (string?[])[$"{row}", $"text {row * 7919 % 104729}"]));
        }

        await world.StartAsync();
        foreach (var table in (string[])[.. small, "events"]) await RegisterAsync(world, table);
        await using var memory = new ProcessMemory(("server", world.Processes));
        project.Stores.Fetched.Clear();
        var (_, others) = await Extraction.RunAsync(world, small);
        var (_, loaded) = await Extraction.RunAsync(world, "events");
        project.Stores.Clear(); // what the emulator holds of the first load
        await world.GrantAllAsync([.. small, "events"]);
        var workspace = Directory.CreateTempSubdirectory("agnes-bench-").FullName;
        var whole = await Pulls.BytesAsync(agnes, world, workspace);
        var before = await PartsAsync(world);

        large.Import(DateTimeOffset.UtcNow, Enumerable.Range(0, Changed).Select(row => Cells(Rows - 1 - row * 8, "changed")));
        var (_, changed) = await Extraction.RunAsync(world, [.. small, "events"]);
        var after = await PartsAsync(world);
        var moved = await Pulls.BytesAsync(agnes, world, workspace);
        Directory.Delete(workspace, recursive: true);
        if (after.Rows != Rows) throw new InvalidOperationException($"The table has {after.Rows} rows.");
        var written = after.Parts.Except(before.Parts, StringComparer.Ordinal).Count();
        var peak = memory.Peaks["server"] / (double)(1 << 20);
        return
        [
            new Measurement("P13k", $"Keboola, {SmallTables} tables of {SmallRows:N0} rows, first load", "ms", others, null, "–", true),
            new Measurement("P13k", $"Keboola, 20 M rows, {before.Parts.Count} parts, first load", "ms", loaded, null, "–", true),
            new Measurement("P13k", "0.5 % of it changed, all 60 tables looked at", "ms", changed, null, "–", true),
            new Measurement("P13k", "parts written anew for that", "", written, null, $"≤ {ChangedPartsMax}", written <= ChangedPartsMax),
            new Measurement("P13k", "bytes that the pull after it moves, of all", "%", 100 * moved / whole, null, "only those", moved < whole / 10),
            new Measurement("P13k", "most memory of any process", "MB", peak, null, "≤ 512 MB", peak <= MemoryMax),
        ];
    }

    private static ProjectTable AddLarge(KeboolaServer project)
    {
        var table = project.Add(new ProjectTable("in.c-crm.events", Columns, "id") { RowsSaid = Rows, Made = Made });
        foreach (var (column, type) in ((string, string)[])[("id", "INTEGER"), ("day", "DATE"), ("customer", "INTEGER"), ("amount", "NUMERIC")])
            table.Describe(column, "KBC.datatype.basetype", type);
        return table;
    }

    /// <summary>As many rows each day, imported as the day begins.</summary>
    private static IEnumerable<string?[]> Made(double? since, double? until)
    {
        const int perDay = Rows / Days + 1;
        for (var day = 0; day < Days; day++)
        {
            var imported = First.AddDays(day).ToUnixTimeSeconds();
            if (imported < (since ?? double.MinValue) || imported >= (until ?? double.MaxValue)) continue;
            for (var row = day * perDay; row < Math.Min((day + 1) * perDay, Rows); row++) yield return Cells(row, "a note of some length about");
        }
    }

    private static string?[] Cells(int row, string note)
    {
        const int perDay = Rows / Days + 1;
        return
        [
            row.ToString(CultureInfo.InvariantCulture), First.AddDays(row / perDay).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            (row % 50_000).ToString(CultureInfo.InvariantCulture), (row * 7919L % 1_000_003 / 100.0).ToString("0.00", CultureInfo.InvariantCulture),
            $"product-{row % 3000}", $"{note} {row}",
        ];
    }

    private static Task RegisterAsync(World world, string table) => world.PostAsync("/api/admin/register-table", new
    {
        name = table,
        source_type = "keboola",
        bucket = "in.c-crm",
        source_table = table,
        sync_strategy = table == "events" ? "partitioned" : "incremental",
        partition_by = table == "events" ? "day" : null,
        partition_granularity = table == "events" ? "month" : null,
    });

    private static async Task<(IReadOnlyList<string> Parts, long Rows)> PartsAsync(World world)
    {
        var entry = (await world.GetAsync("/api/sync/manifest"))["tables"]!["events"]!;
        var list = await world.GetAsync($"/api/sync/parts/events/{(string)entry["parts_digest"]!}");
        var parts = list["parts"]!.AsArray();
        return ([.. parts.Select(part => (string)part!["sha256"]!)], parts.Sum(part => (long)part!["rows"]!));
    }
}
