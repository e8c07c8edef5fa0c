using System.Diagnostics;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Two server programs on one PostgreSQL and one data folder.</summary>
public sealed class TwoProcessesTests(Postgres postgres)
{
    [Fact]
    public async Task A_second_process_leaves_the_first_ones_running_sync_alone_and_one_of_jobs_answers_health_alone()
    {
        if (Postgres.Binaries is null || !OperatingSystem.IsLinux()) Assert.Skip("PostgreSQL is not installed.");
        using var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string> { ["AGNES_STATE_URL"] = await postgres.NewDatabaseAsync(), ["JWT_SECRET_KEY"] = "0123456789abcdef0123456789abcdef" };
        var csv = Path.Combine(Directory.CreateDirectory(Path.Combine(folder.Path, "csv")).FullName, "visits.csv");
        await File.WriteAllLinesAsync(csv, Enumerable.Range(0, 300_000).Select(i => $"{i},page {i % 1000},{i * 0.5}").Prepend("id,page,weight"));
        await using var one = await ServerProcess.StartAsync(folder.Path, environment);
        await one.SignInAsync();
        (await one.SendAsync("POST", "/api/admin/register-table", """{"name":"visits","source_type":"local","source_table":"visits.csv"}""")).Status.ShouldBe(201);
        var run = (await one.SendAsync("POST", "/api/sync/trigger")).Json["run_id"]!.GetValue<string>();
        var incoming = Path.Combine(folder.Path, "parts", ".incoming");
        for (var i = 0; i < 2000 && !Directory.EnumerateDirectories(incoming).Any(); i++) await Task.Delay(2);
        var child = ChildOf(one.Id, "extract-worker");
        await SignalAsync("STOP", child); // in the midst of it, for as long as the others take to start
        var staged = Directory.EnumerateDirectories(incoming).ToList();
        staged.ShouldNotBeEmpty();
        var left = Directory.CreateDirectory(Path.Combine(incoming, "extract-of-a-process-that-died")).FullName;

        await using (var two = await ServerProcess.StartAsync(folder.Path, environment))
        {
            Directory.Exists(left).ShouldBeFalse("what nobody living owns is swept");
            staged.ShouldAllBe(path => Directory.Exists(path));
        }
        await using (var jobs = await ServerProcess.StartAsync(folder.Path, environment, "--role", "jobs"))
        {
            staged.ShouldAllBe(path => Directory.Exists(path));
            (await StatusAsync(jobs, "GET", "/api/health")).ShouldBe(200);
            foreach (var (method, path) in (IEnumerable<(string, string)>)[("POST", "/auth/token"), ("GET", "/login"), ("GET", "/"), ("GET", "/api/sync/manifest"), ("POST", "/api/query")])
                (await StatusAsync(jobs, method, path)).ShouldBeOneOf([404, 405], path);
        }

        await SignalAsync("CONT", child);
        for (var i = 0; i < 1200 && (await one.SendAsync("GET", $"/api/sync/runs/{run}")).Json["finished_at"] is null; i++) await Task.Delay(50);
        (await one.SendAsync("GET", $"/api/sync/runs/{run}")).Json["status"]!.GetValue<string>().ShouldBe("ok");
        (await one.SendAsync("POST", "/api/query", """{"sql":"select count(*) from visits"}""")).Json["rows"]![0]![0]!.GetValue<long>().ShouldBe(300_000);
    }

    private static async Task<int> StatusAsync(ServerProcess server, string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await server.Client.SendAsync(request);
        return (int)answer.StatusCode;
    }

    private static int ChildOf(int parent, string role) => Process.GetProcesses().Select(process => process.Id).First(id =>
    {
        var (status, line) = (Path.Combine("/proc", $"{id}", "status"), Path.Combine("/proc", $"{id}", "cmdline"));
        return File.Exists(status) && File.ReadAllText(status).Contains($"PPid:\t{parent}\n", StringComparison.Ordinal) && File.ReadAllText(line).Contains(role, StringComparison.Ordinal);
    });

    private static async Task SignalAsync(string signal, int process)
    {
        using var kill = Process.Start("/bin/kill", [$"-{signal}", $"{process}"]);
        await kill.WaitForExitAsync();
        kill.ExitCode.ShouldBe(0);
    }
}
