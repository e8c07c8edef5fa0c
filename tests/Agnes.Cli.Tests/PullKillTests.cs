using System.Diagnostics;

namespace Agnes.Cli.Tests;

/// <summary>Many pulls at once, and pulls that are killed.</summary>
public sealed class PullKillTests : IAsyncLifetime
{
    private const int Kills = 4; // the campaign pull-kills has hundreds

    /// <summary>Of about a dozen that a pull makes here; so many that kills come before, between and after them, however fast the program starts.</summary>
    private const int RequestsMax = 14;
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task Of_eight_pulls_at_once_one_works_and_the_others_wait()
    {
        for (var index = 0; index < 10; index++) _server.Add($"t{index}", Parquet.Number(index));
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _agnes.RunAsync("pull", "--json")));
        foreach (var outcome in outcomes) outcome.ShouldSucceed();
        outcomes.Count(outcome => outcome.Json.GetProperty("tables_updated").GetInt32() == 10).ShouldBe(1);
        _server.Downloads.Count().ShouldBe(10, "nothing is fetched twice");
        outcomes.ShouldAllBe(outcome => !outcome.Error.Contains("lock", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_quiet_pull_gives_way_to_one_at_work()
    {
        var gate = new TaskCompletionSource();
        _server.Add("orders", Parquet.Number(1));
        _server.Intercept = async context =>
        {
            if (context.Request.Path.Value!.StartsWith("/api/data/", StringComparison.Ordinal)) await gate.Task;
            return false;
        };
        using var working = _agnes.Start(["pull", "--json"]);
        while (!_server.Downloads.Any()) await Task.Delay(20);
        (await _agnes.RunAsync("pull", "--quiet", "--json")).ShouldSucceed().Json.GetProperty("skipped").GetString().ShouldBe("locked");
        (await _agnes.RunAsync("pull", "--quiet")).ShouldSucceed().Out.ShouldBeEmpty();
        gate.SetResult();
        (await AgnesProgram.FinishAsync(working)).ShouldSucceed();
    }

    [Fact]
    public async Task Queries_run_while_pulls_replace_the_tables()
    {
        _server.Add("orders", Parquet.Number(0));
        (await _agnes.RunAsync("pull")).ShouldSucceed();
        using var stop = new CancellationTokenSource();
        var queries = Enumerable.Range(0, 2).Select(async _ =>
        {
            var count = 0;
            while (!stop.IsCancellationRequested)
            {
                (await _agnes.RunAsync("query", "SELECT count(*) AS c FROM orders", "-f", "csv")).ShouldSucceed().Out.ShouldBe("c\n1\n");
                count++;
            }

            return count;
        }).ToList();
        for (var version = 1; version <= 5; version++)
        {
            _server.Add("orders", Parquet.Number(version));
            (await _agnes.RunAsync("pull")).ShouldSucceed();
        }

        await stop.CancelAsync();
        (await Task.WhenAll(queries)).Sum().ShouldBeGreaterThan(0);
    }

    /// <summary>Killed while downloading, linking, building or cleaning: the next run ends in the right tables, with nothing left over.</summary>
    [Fact]
    public async Task Killed_at_any_moment_the_next_pull_puts_everything_right()
    {
        _agnes.Environment["AGNES_PULL_CHUNK_THRESHOLD_BYTES"] = "500000";
        var random = new Random(20260105);
        for (var round = 0; round < Kills; round++)
        {
            _server.Add("small", Parquet.Number(round));
            _server.Add("large", Parquet.Large(2, round));
            _server.Add("many", Enumerable.Range(0, 5).Select(index => Parquet.Number(round * 10 + index)).ToArray());
            if (round % 2 == 0) _server.Add("sometimes", Parquet.Number(1));
            else _server.Tables.TryRemove("sometimes", out _);

            _server.Requests.Clear();
            var requests = random.Next(1, RequestsMax);
            using (var killed = _agnes.Start(["pull", "--json"]))
            {
                while (_server.Requests.Count < requests && !killed.HasExited) await Task.Delay(2);
                await Task.Delay(random.Next(20));
                Kill(killed);
            }

            var readable = await _agnes.RunAsync("query", "SELECT (SELECT count(*) FROM small) + (SELECT count(*) FROM many) AS c", "-f", "csv");
            if (round > 0) readable.ShouldSucceed().Out.ShouldBe("c\n6\n", "a killed pull leaves the old or the new, whole");
            (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
            (await _agnes.RunAsync("query", "SELECT (SELECT max(n) FROM small) AS a, (SELECT max(n) FROM large) AS b, (SELECT sum(n) FROM many) AS c", "-f", "csv"))
                .ShouldSucceed().Out.ShouldBe($"a,b,c\n{round},{round},{round * 50 + 10}\n");
            File.Exists(_agnes.InWorkspace("server", "parquet", "sometimes.parquet")).ShouldBe(round % 2 == 0);
            Directory.EnumerateFiles(_agnes.Workspace, "*", SearchOption.AllDirectories).ShouldNotContain(path => path.Contains(".incoming") || path.Contains(".tmp") || path.EndsWith(".wal"));
        }
    }

    [Fact]
    public async Task A_killed_download_is_continued_where_it_was()
    {
        var bytes = Parquet.Large(4, 77);
        _server.Add("large", bytes);
        var half = new TaskCompletionSource();
        var stall = true;
        _server.Intercept = async context =>
        {
            if (!context.Request.Path.Value!.StartsWith("/api/data/", StringComparison.Ordinal) || !stall) return false;
            context.Response.ContentLength = bytes.Length;
            await context.Response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2));
            await context.Response.Body.FlushAsync();
            half.TrySetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => Task.CompletedTask, TaskScheduler.Default);
            return true;
        };
        using (var killed = _agnes.Start(["pull"]))
        {
            await half.Task;
            var incoming = _agnes.InWorkspace("server", "parts", ".incoming");
            while (!Directory.Exists(incoming) || new DirectoryInfo(incoming).EnumerateFiles().Sum(file => file.Length) < bytes.Length / 2) await Task.Delay(20);
            Kill(killed);
        }

        stall = false;
        _server.Requests.Clear();
        var report = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed().Json;
        report.GetProperty("bytes_downloaded").GetInt64().ShouldBe(bytes.Length - (bytes.Length / 2));
        _server.Downloads.Single().ShouldEndWith($"bytes={bytes.Length / 2}-");
    }

    private static void Kill(Process process)
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
    }
}
