using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.EndToEnd.Fixtures;
using Agnes.EndToEnd.Spine;
using Agnes.Testing;

namespace Agnes.EndToEnd.Walls;

/// <summary>A server on a system that lacks a wall: a namespace in which root is the only user, so that children cannot get one of their own.</summary>
public sealed class MissingWallsTests
{
    private const string Missing = "a user of their own (setresuid)";
    private static readonly string[] OnlyRoot = ["/usr/bin/unshare", "--user", "--map-root-user"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_missing_is_said_or_keeps_the_server_from_starting()
    {
        if (!OperatingSystem.IsLinux() || !File.Exists(OnlyRoot[0]) || (await Processes.RunAsync([.. OnlyRoot, "/bin/true"], stop: Stop)).ExitCode != 0) return;
        using var folder = new TemporaryFolder();
        string[] command = [.. OnlyRoot, Processes.Program("agnes-server"), "--data-dir", folder["data"], "--urls", "http://127.0.0.1:0"];
        var refused = await Processes.RunAsync(command, Settings("required"), stop: Stop);
        refused.ExitCode.ShouldBe(2, refused.Errors);
        refused.Errors.ShouldContain($"AGNES_WALLS=required, and this system does not offer: {Missing}.");

        await using var server = Processes.Start(command, Settings("available"));
        var url = await server.UrlAsync();
        server.Said.ShouldContain($"Child processes run without: {Missing}.");
        using var client = new HttpClient { BaseAddress = new Uri(url) };
        using var signedIn = await client.PostAsJsonAsync("/auth/token", new { email = "root@example.com", password = "a long password" }, Stop);
        var token = (string)(await signedIn.Content.ReadFromJsonAsync<JsonNode>(Stop))!["access_token"]!;
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        var health = JsonNode.Parse(await client.GetStringAsync("/api/health/detailed", Stop))!["services"]!["walls"]!;
        health.ToJsonString().ShouldBe($$"""{"status":"warning","missing":["{{Missing}}"]}""");
        using var laptop = new Laptop(url, token);
        var diagnosed = await laptop.RunAsync("diagnose", "--component", "server.walls");
        diagnosed.Output.ShouldContain($"server.walls: warning: without {Missing}");
        using var answer = await client.PostAsJsonAsync("/api/query", new { sql = "SELECT 41 + 1 AS n" }, Stop);
        (await answer.Content.ReadAsStringAsync(Stop)).ShouldContain("42");
    }

    private static Dictionary<string, string> Settings(string walls) => new(StringComparer.Ordinal)
    {
        ["AGNES_MEMORY"] = "1GiB",
        ["AGNES_WALLS"] = walls,
        ["SEED_ADMIN_EMAIL"] = "root@example.com",
        ["SEED_ADMIN_PASSWORD"] = "a long password",
    };
}
