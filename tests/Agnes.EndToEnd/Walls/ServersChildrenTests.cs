using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Agnes.EndToEnd.Fixtures;

namespace Agnes.EndToEnd.Walls;

/// <summary>The children of the real server, as the kernel tells of them.</summary>
public sealed class ServersChildrenTests(DemoServer demo)
{
    [Fact]
    public async Task Every_child_of_the_server_is_closed_and_no_thread_of_the_server_is()
    {
        var stop = TestContext.Current.CancellationToken;
        using var admin = await demo.ClientAsync(await demo.AdminAsync());
        var health = JsonNode.Parse(await admin.GetStringAsync("/api/health/detailed", stop))!["services"]!["walls"]!;
        if (!OperatingSystem.IsLinux() || health["missing"]!.AsArray().Count > 0) return;
        ((string)health["status"]!).ShouldBe("ok");
        using var analyst = await demo.ClientAsync(await demo.AnalystAsync("finance"));
        JsonNode.Parse(await analyst.GetStringAsync("/api/health/detailed", stop))!["services"]!["walls"]!.ToJsonString().ShouldBe("""{"status":"ok"}""");
        using var answer = await analyst.PostAsJsonAsync("/api/query", new { sql = "SELECT count(*) AS n FROM orders" }, stop);
        answer.EnsureSuccessStatusCode();

        var server = await demo.ProcessIdAsync();
        var children = Directory.GetDirectories("/proc").Where(folder => int.TryParse(Path.GetFileName(folder), out _)).Select(Status)
            .Where(status => status.GetValueOrDefault("PPid") == $"{server}").ToList();
        children.Count.ShouldBeGreaterThan(1);
        foreach (var child in children)
        {
            $"{child["NoNewPrivs"]} {child["Seccomp"]} {child["Seccomp_filters"]}".ShouldBe("1 2 1", child["Name"]);
            (Status($"/proc/{server}")["Uid"] == "0" && child["Uid"] == "0").ShouldBeFalse();
            // What the server has open itself, its state above all, is not handed down.
            Directory.GetFiles($"/proc/{child["Pid"]}/fd").Select(file => new FileInfo(file).LinkTarget ?? "").ShouldAllBe(target => !target.Contains("/state/", StringComparison.Ordinal) && !target.StartsWith("socket:", StringComparison.Ordinal));
        }

        foreach (var thread in Directory.GetDirectories($"/proc/{server}/task")) Status(thread)["NoNewPrivs"].ShouldBe("0");
    }

    private static Dictionary<string, string> Status(string folder)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(folder, "status")).Select(line => line.Split([':', '\t'], StringSplitOptions.RemoveEmptyEntries))
                .Where(words => words.Length > 1).ToDictionary(words => words[0], words => words[1], StringComparer.Ordinal);
        }
        catch (IOException)
        {
            return []; // it has just ended
        }
    }
}
