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

    /// <summary>Every child reads the folders that programs are run from, with all that lies below: there is no place in them for what children may not reach.</summary>
    [Theory]
    [InlineData("DATA_DIR")]
    [InlineData("STATE_DIR")]
    [InlineData("CONFIG_DIR")]
    [InlineData("AGNES_RELEASE_KEY_FILE")]
    public async Task What_lies_in_a_folder_of_libraries_is_not_behind_a_wall(string setting)
    {
        const string libraries = "/usr/local/lib";
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || !Directory.Exists(libraries)) return;
        var below = Directory.CreateDirectory(Path.Combine(libraries, $"agnes-{Guid.NewGuid():n}")).FullName;
        try
        {
            using var folder = new TemporaryFolder();
            Directory.CreateSymbolicLink(folder["link"], below); // where it really lies counts
            var settings = Settings("required");
            settings["DATA_DIR"] = folder["data"];
            settings[setting] = folder["link"];
            var refused = await Processes.RunAsync([Processes.Program("agnes-server"), "--urls", "http://127.0.0.1:0"], settings, stop: Stop);
            refused.ExitCode.ShouldBe(2, refused.Errors);
            refused.Errors.ShouldContain($"landlock around {folder["link"]}");
            refused.Errors.ShouldContain($"children read all of {libraries}; move it elsewhere");
            Directory.EnumerateFileSystemEntries(below).ShouldBeEmpty();
            if (setting != "DATA_DIR") return;

            settings["AGNES_WALLS"] = "available";
            await using var server = Processes.Start([Processes.Program("agnes-server"), "--urls", "http://127.0.0.1:0"], settings);
            await server.UrlAsync();
            server.Said.ShouldContain($"Child processes run without: landlock around {folder["link"]}");
        }
        finally
        {
            Directory.Delete(below, recursive: true);
        }
    }

    private static Dictionary<string, string> Settings(string walls) => new(StringComparer.Ordinal)
    {
        ["AGNES_MEMORY"] = "1GiB",
        ["AGNES_WALLS"] = walls,
        ["SEED_ADMIN_EMAIL"] = "root@example.com",
        ["SEED_ADMIN_PASSWORD"] = "a long password",
    };
}
