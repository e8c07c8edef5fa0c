using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>
/// A table of ten million rows stays in its PostgreSQL, and a laptop asks about it through a real server: a count goes there as one
/// statement; a hundredth of it, and then all of it, becomes a snapshot; a client that is killed midway leaves nothing running. What each
/// process took of memory is held against a bound that does not know how large the answer is.
/// </summary>
internal static class LargeRemote
{
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private const int Grade = 7; // of a hundred
    private const long ProcessBytesMax = 300L << 20;
    private const int MidwayMillisecondsMax = 3000;
    private static readonly TimeSpan AskMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan EndMax = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>The defaults end a scan after five minutes and two gibibytes.</summary>
    private const string Limits = """
        config_version: 1
        api:
          scan:
            max_limit: 20000000
            max_result_bytes: 8589934592
            request_timeout_seconds: 3600
        """;

    public static async Task RunAsync(CampaignRun run)
    {
        await using var table = await LargeTable.MakeAsync(run.Cancellation);
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["config"]);
        await File.WriteAllTextAsync(folder["config", "instance.yaml"], Limits, run.Cancellation);
        Dictionary<string, string> environment = new(StringComparer.Ordinal)
        {
            ["SEED_ADMIN_EMAIL"] = Email,
            ["SEED_ADMIN_PASSWORD"] = Password,
            ["CONFIG_DIR"] = folder["config"],
            ["AGNES_MEMORY"] = "1GiB",
            ["AGNES_ALLOWED_PRIVATE_HOSTS"] = table.Host,
        };
        using var server = await ServerProcess.StartAsync(folder["data"], environment, run.Cancellation);
        await server.SignInAsync(Email, Password, run.Cancellation);
        await RegisterAsync(server, table, run.Cancellation);
        var token = (string)(await server.PostAsync("/auth/tokens", new { name = "campaign" }, run.Cancellation))["token"]!;
        for (var round = 1; round <= run.Count; round++)
        {
            using var workspace = new TemporaryFolder();
            Dictionary<string, string> laptop = new(StringComparer.Ordinal)
            {
                ["AGNES_SERVER"] = server.Url,
                ["AGNES_TOKEN"] = token,
                ["AGNES_LOCAL_DIR"] = workspace.Path,
                ["AGNES_CONFIG_DIR"] = workspace["config"],
                ["AGNES_NO_UPDATE_CHECK"] = "1",
            };
            await RoundAsync(new Laptop(run, server, table, laptop, folder["data", "scratch"]));
        }
    }

    private static async Task RegisterAsync(ServerProcess server, LargeTable table, CancellationToken cancellation)
    {
        var settings = new
        {
            host = table.Host,
            database = table.Database,
            user = table.User,
            ssl_mode = "disable",
            statement_timeout = 3600,
        };
        await server.PostAsync("/api/admin/connections", new { name = "depot", kind = "postgres", settings }, cancellation);
        var registered = new
        {
            name = LargeTable.Name,
            source_type = "postgres",
            connection = "depot",
            query_mode = "remote",
            bucket = "public",
            source_table = LargeTable.Name,
        };
        await server.PostAsync("/api/admin/register-table", registered, cancellation);
    }

    private static async Task RoundAsync(Laptop laptop)
    {
        var run = laptop.Run;
        await using var memory = new ProcessMemory(
            ("query worker", () => WorkerKills.Workers(laptop.Server.Pid)),
            ("broker", () => WorkerKills.Workers(laptop.Server.Pid, "remote-broker")));
        memory.Watch("server", laptop.Server.Pid);
        await laptop.AgnesAsync("pull", "--quiet");
        await CountAsync(laptop);
        await SliceAsync(laptop);
        await WholeAsync(laptop, memory);
        await LeaveAsync(laptop);
        foreach (var (kind, bytes) in memory.Peaks.OrderBy(peak => peak.Key, StringComparer.Ordinal))
        {
            Console.Error.WriteLine($"  peak memory of {kind}: {bytes >> 20} MiB");
            if (bytes > ProcessBytesMax) run.Fail($"{kind} took {bytes >> 20} MiB of memory; {ProcessBytesMax >> 20} are what it may");
        }

        foreach (var kind in (string[])["server", "broker", "query worker", "agnes snapshot create"])
            if (!memory.Peaks.ContainsKey(kind)) run.Fail($"nobody has seen a process of kind '{kind}'");
    }

    private static async Task CountAsync(Laptop laptop)
    {
        await laptop.Table.ForgetStatementsAsync(laptop.Run.Cancellation);
        var clock = Stopwatch.StartNew();
        var sql = $"SELECT count(*) AS n FROM {LargeTable.Name} WHERE grade = {Grade} AND amount > 1000";
        var count = JsonNode.Parse(await laptop.AgnesAsync("query", "--remote", "--json", sql))?[0];
        Said("a count with a filter", clock);
        var expected = await laptop.Table.RowAsync(sql, laptop.Run.Cancellation);
        if ((string?)count?["n"]?.ToString() != expected[0]) laptop.Run.Fail($"the count is {count?.ToJsonString()} and not {expected[0]}");
        var asked = await laptop.Table.StatementsAsync(laptop.Run.Cancellation);
        if (asked.Count == 1) laptop.Run.Add("counts as one statement");
        else laptop.Run.Fail($"a count took {asked.Count} statements: {string.Join("; ", asked)}");
    }

    private static async Task SliceAsync(Laptop laptop)
    {
        var clock = Stopwatch.StartNew();
        await laptop.AgnesAsync("snapshot", "create", LargeTable.Name, "--where", $"grade = {Grade}", "--as", "slice", "--force");
        Said("a hundredth as a snapshot", clock);
        await CompareAsync(laptop, "slice", $" WHERE grade = {Grade}");
    }

    private static async Task WholeAsync(Laptop laptop, ProcessMemory memory)
    {
        var clock = Stopwatch.StartNew();
        string[] arguments = ["snapshot", "create", LargeTable.Name, "--as", "whole", "--force"];
        await laptop.AgnesAsync(id => memory.Watch("agnes snapshot create", id), arguments);
        Said("all of it as a snapshot", clock);
        var bytes = await laptop.Table.RowAsync($"SELECT sum(length(payload) + 22) FROM {LargeTable.Name}", laptop.Run.Cancellation);
        if (long.Parse(bytes[0], CultureInfo.InvariantCulture) < LargeTable.BytesMin)
            laptop.Run.Fail($"all rows together are only {bytes[0]} bytes");
        Console.Error.WriteLine($"  its values are {bytes[0]} bytes");
        await CompareAsync(laptop, "whole", "");
        await laptop.AgnesAsync("snapshot", "drop", "whole");
    }

    /// <summary>What a local query says of a snapshot is what the database says of the same rows.</summary>
    private static async Task CompareAsync(Laptop laptop, string snapshot, string where)
    {
        const string sums = "SELECT count(*) AS n, sum(id) AS ids, sum(amount) AS amounts, CAST(min(day) AS text) AS first,";
        var answer = await laptop.AgnesAsync("query", "--json", $"{sums} max(payload) AS last FROM {snapshot}");
        var here = JsonNode.Parse(answer)?[0]?.AsObject();
        var there = await laptop.Table.RowAsync(
            $"{sums} max(payload COLLATE \"C\") AS last FROM {LargeTable.Name}{where}", laptop.Run.Cancellation);
        var row = here is null ? [] : here.Select(cell => cell.Value?.ToString() ?? "NULL").ToArray();
        if (row.SequenceEqual(there, StringComparer.Ordinal)) laptop.Run.Add("snapshots that are right");
        else laptop.Run.Fail($"the snapshot {snapshot} says {string.Join(" | ", row)} and the database {string.Join(" | ", there)}");
    }

    private static async Task LeaveAsync(Laptop laptop)
    {
        var (run, table) = (laptop.Run, laptop.Table);
        var pid = new TaskCompletionSource<int>();
        string[] arguments = ["snapshot", "create", LargeTable.Name, "--as", "cut", "--no-estimate"];
        var taking = Programs.RunAtAsync(
            ServerProcess.Program("agnes"), arguments, laptop.Environment, run.Cancellation, started: pid.SetResult);
        if (!await UntilAsync(() => table.IsReadAsync(run.Cancellation), AskMax, run.Cancellation))
            run.Fail("the client asked for nothing");
        await Task.Delay(run.Random.Next(MidwayMillisecondsMax), run.Cancellation);
        if (!await table.IsReadAsync(run.Cancellation)) run.Fail("it was over before its client left");
        using (var kill = Process.Start("/bin/kill", ["-9", $"{await pid.Task}"])) await kill.WaitForExitAsync(run.Cancellation);
        var clock = Stopwatch.StartNew();
        await taking;
        var late = $"{EndMax.TotalSeconds:0} s after its client was killed";
        if (await UntilAsync(async () => !await table.IsAskedAsync(run.Cancellation), EndMax, run.Cancellation))
            Said("after the client had been killed, nothing ran at the source", clock);
        else run.Fail($"the statement runs at the source {late}");
        if (await UntilAsync(async () => await LeftAsync(laptop) is null, EndMax - clock.Elapsed, run.Cancellation))
            run.Add("clients that left nothing");
        else run.Fail($"{late} the server has {await LeftAsync(laptop)}");
    }

    /// <summary>What the server still has of a statement; null: nothing.</summary>
    private static async Task<string?> LeftAsync(Laptop laptop)
    {
        var listed = await laptop.Server.Client.GetStringAsync("/api/admin/statements", laptop.Run.Cancellation);
        var statements = JsonNode.Parse(listed)!["statements"]!.AsArray();
        if (statements.Count > 0) return statements.ToJsonString();
        return Directory.EnumerateFiles(laptop.Scratch, "*", SearchOption.AllDirectories)
            .FirstOrDefault(file => file.EndsWith(".parquet", StringComparison.Ordinal) || Path.GetFileName(file) == "result");
    }

    private static async Task<bool> UntilAsync(Func<Task<bool>> isSo, TimeSpan max, CancellationToken cancellation)
    {
        for (var clock = Stopwatch.StartNew(); ; await Task.Delay(LookEvery, cancellation))
        {
            if (await isSo()) return true;
            if (clock.Elapsed > max) return false;
        }
    }

    private static void Said(string what, Stopwatch clock) =>
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {what}: {clock.Elapsed.TotalSeconds:0.00} s"));

    private sealed record Laptop(
        CampaignRun Run, ServerProcess Server, LargeTable Table, Dictionary<string, string> Environment, string Scratch)
    {
        public Task<string> AgnesAsync(params string[] arguments) => AgnesAsync(null, arguments);

        public async Task<string> AgnesAsync(Action<int>? started, params string[] arguments)
        {
            var program = ServerProcess.Program("agnes");
            var ended = await Programs.RunAtAsync(program, arguments, Environment, Run.Cancellation, started: started);
            return ended.ExitCode == 0
                ? ended.Output
                : throw new InvalidOperationException($"agnes {string.Join(' ', arguments)} exited {ended.ExitCode}: {ended.Output}");
        }
    }
}
