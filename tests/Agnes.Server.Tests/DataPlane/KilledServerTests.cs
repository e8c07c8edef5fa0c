using System.Security.Cryptography;
using Agnes.Testing;

namespace Agnes.Server.Tests.DataPlane;

public sealed class KilledServerTests
{
    private const int Rounds = 2; // the campaign server-kills has hundreds

    [Fact]
    [Long]
    public async Task A_server_killed_while_it_publishes_has_the_old_or_the_new_version_whole()
    {
        using var folder = new TemporaryFolder();
        var random = new Random(7);
        await WriteAsync(folder.Path, 0);
        await using (var server = await ServerProcess.StartAsync(folder.Path))
        {
            await server.SignInAsync();
            foreach (var table in (string[])["a", "b"])
                (await server.SendAsync("POST", "/api/admin/register-table", $$"""{"name":"{{table}}","source_type":"local","source_table":"{{table}}.csv"}""")).Status.ShouldBe(201);
            await SyncAsync(server);
        }
        for (var round = 1; round <= Rounds; round++)
        {
            await WriteAsync(folder.Path, round);
            await using (var killed = await ServerProcess.StartAsync(folder.Path))
            {
                await killed.SignInAsync();
                (await killed.SendAsync("POST", "/api/sync/trigger")).Status.ShouldBeOneOf(200, 409);
                await Task.Delay(random.Next(0, 1500));
                await killed.KillAsync();
            }
            await using var server = await ServerProcess.StartAsync(folder.Path);
            await server.SignInAsync();
            await CheckAsync(server, round);
            await SyncAsync(server);
            (await RowsAsync(server, "a")).ShouldBe(round + 1);
        }
        Directory.EnumerateFileSystemEntries(Path.Combine(folder.Path, "parts", ".incoming")).ShouldBeEmpty();
    }

    /// <summary>Each table has the rows of one round, and the manifest's hash is the file's.</summary>
    private static async Task CheckAsync(ServerProcess server, int round)
    {
        var manifest = (await server.SendAsync("GET", "/api/sync/manifest")).Json;
        foreach (var table in (string[])["a", "b"])
        {
            var rows = await RowsAsync(server, table);
            rows.ShouldBeOneOf(round, round + 1);
            var entry = (await server.SendAsync("GET", "/api/sync/manifest")).Json["tables"]![table]!;
            var bytes = await server.Client.GetByteArrayAsync($"/api/data/{table}/parts/{entry["sha256"]}");
            Convert.ToHexStringLower(SHA256.HashData(bytes)).ShouldBe(entry["sha256"]!.GetValue<string>());
        }
        manifest["tables"]!.AsObject().Count.ShouldBe(2);
    }

    private static async Task<long> RowsAsync(ServerProcess server, string table)
    {
        var (status, json) = await server.SendAsync("POST", "/api/query", $$"""{"sql":"select count(*) from {{table}}"}""");
        status.ShouldBe(200, json.ToJsonString());
        return json["rows"]![0]![0]!.GetValue<long>();
    }

    private static async Task SyncAsync(ServerProcess server)
    {
        for (var i = 0; i < 600; i++)
        {
            // A run that was cut off goes on by itself after the start; only then can another begin.
            var started = await server.SendAsync("POST", "/api/sync/trigger");
            if (started.Status == 200)
            {
                var run = started.Json["run_id"]!.GetValue<string>();
                while ((await server.SendAsync("GET", $"/api/sync/runs/{run}")).Json["finished_at"] is null) await Task.Delay(50);
                return;
            }
            started.Status.ShouldBe(409);
            await Task.Delay(100);
        }
        throw new TimeoutException("The run that was cut off did not end.");
    }

    private static async Task WriteAsync(string dataDir, int round)
    {
        Directory.CreateDirectory(Path.Combine(dataDir, "csv"));
        var text = $"id\n{string.Join('\n', Enumerable.Range(0, round + 1))}\n";
        foreach (var table in (string[])["a", "b"]) await File.WriteAllTextAsync(Path.Combine(dataDir, "csv", $"{table}.csv"), text);
    }
}
