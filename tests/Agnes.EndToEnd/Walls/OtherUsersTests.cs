using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Agnes.EndToEnd.Fixtures;
using Agnes.EndToEnd.Spine;
using Agnes.Testing;

namespace Agnes.EndToEnd.Walls;

/// <summary>What other users of the same machine can open: nothing that a server or a workspace made, whatever the mask of the shell they were started from.</summary>
public sealed class OtherUsersTests
{
    private const UnixFileMode Others = (UnixFileMode)0b000_111_111;
    private static readonly string[] WideMask = ["/bin/sh", "-c", "umask 022; exec \"$@\"", "sh"];
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nothing_that_the_programs_make_is_left_to_the_mask_and_a_root_that_was_open_is_closed()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        var data = folder["data"];
        Directory.CreateDirectory(Path.Combine(data, "parts"));
        foreach (var open in (string[])[data, Path.Combine(data, "parts")]) File.SetUnixFileMode(open, (UnixFileMode)0b111_101_101);
        await using var server = Processes.Start([.. WideMask, Processes.Program("agnes-server"), "--demo", "--data-dir", data, "--urls", "http://127.0.0.1:0"], Settings);
        var demo = await DemoAsync(server, Path.Combine(data, "demo.json"));
        server.Said.ShouldContain($"Other users could open {data} (mode 0755); it is closed to them now.");
        server.Said.ShouldContain($"Other users could open {Path.Combine(data, "parts")} (mode 0755); it is closed to them now.");

        var analyst = demo["analysts"]![0]!;
        var (url, token) = ((string)demo["url"]!, (string)analyst["token"]!);
        await UploadAsync(url, token);
        using var laptop = new Laptop(url, token) { Before = WideMask };
        (await laptop.InitAsync()).ExitCode.ShouldBe(0);
        await File.WriteAllTextAsync(Path.Combine(laptop.Workspace, ".claude", "CLAUDE.local.md"), "notes", Stop);
        File.SetUnixFileMode(Path.Combine(laptop.Workspace, ".claude", "CLAUDE.local.md"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.SetUnixFileMode(Path.Combine(laptop.Workspace, "server"), (UnixFileMode)0b111_101_101);
        var pull = await laptop.RunAsync("pull");
        pull.Errors.ShouldContain("it is closed to them now");
        foreach (var arguments in (string[][])[["push"], ["query", "SELECT count(*) FROM orders"], ["snapshot", "create", "orders", "--as", "few", "--limit", "10"]])
        {
            var ended = await laptop.RunAsync(arguments);
            ended.ExitCode.ShouldBe(0, $"{string.Join(' ', arguments)}: {ended.Output} {ended.Errors}");
        }

        string[] known = ["extract.duckdb", "system.duckdb", "one.jsonl", "analytics.duckdb", "orders.parquet", "token.json"];
        var seen = Entries(data).Concat(Entries(laptop.Workspace)).Concat(Entries(laptop.ConfigFolder)).ToList();
        known.ShouldBeSubsetOf(seen.Select(entry => entry.Name));
        seen.Where(entry => entry.FullName != laptop.Workspace && (entry.UnixFileMode & Others) != UnixFileMode.None).Select(entry => $"{entry.UnixFileMode} {entry.FullName}").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_root_that_is_somebody_elses_and_open_to_all_is_refused()
    {
        const string program = "/usr/bin/setpriv"; // to be somebody else for a moment
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root" || !File.Exists(program)) return;
        using var folder = new TemporaryFolder();
        File.SetUnixFileMode(folder.Path, (UnixFileMode)0b111_101_101);
        var data = Directory.CreateDirectory(folder["data"]).FullName;
        File.SetUnixFileMode(data, (UnixFileMode)0b111_111_111);
        string[] somebody = [program, "--reuid", "65534", "--regid", "65534", "--clear-groups"];
        var ended = await Processes.RunAsync([.. somebody, Processes.Program("agnes-server"), "--data-dir", data, "--urls", "http://127.0.0.1:0"], Settings, stop: Stop);
        ended.ExitCode.ShouldBe(3, ended.Errors);
        ended.Errors.ShouldContain($"{data} belongs to another user, and everybody may rename and replace what lies in it.");
        ended.Errors.ShouldContain($"--data-dir {data}/agnes");
        Directory.EnumerateFileSystemEntries(data).ShouldBeEmpty();
    }

    /// <summary>Others may sit in any of its folders already, and read by the modes that they find there.</summary>
    [Fact]
    public async Task What_an_open_root_had_below_it_is_closed_however_deep_and_where_links_lead()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        var (data, disk) = (folder["data"], folder["disk"]);
        List<string> files = [Made(data, "user_sessions", "9", "one.jsonl"), Made(disk, "parts", "ab", "one.parquet"), Made(disk, "sessions", "9", "two.jsonl"), Made(data, "demo.json")];
        Directory.CreateSymbolicLink(Path.Combine(data, "parts"), Path.Combine(disk, "parts"));
        Directory.CreateSymbolicLink(Path.Combine(data, "user_sessions", "linked"), Path.Combine(disk, "sessions")); // deeper links are their maker's
        Open(data);
        Open(disk);
        await using var server = Processes.Start([Processes.Program("agnes-server"), "--data-dir", data, "--urls", "http://127.0.0.1:0"], Settings);
        await server.UrlAsync();

        server.Said.ShouldContain($"Other users could open {Path.Combine(disk, "parts")} (mode 0755); it is closed to them now.");
        Entries(data).Concat(Entries(Path.Combine(disk, "parts"))).Where(entry => entry.LinkTarget is null && !entry.FullName.Contains("linked", StringComparison.Ordinal) && (entry.UnixFileMode & Others) != UnixFileMode.None).Select(entry => entry.FullName).ShouldBeEmpty();
        files.ShouldAllBe(file => File.Exists(file));
    }

    /// <summary>To close it would be to lock everybody else out of theirs.</summary>
    [Fact]
    public async Task A_link_to_a_folder_that_is_everybodys_keeps_the_server_from_starting()
    {
        if (OperatingSystem.IsWindows()) return;
        using var folder = new TemporaryFolder();
        Directory.CreateDirectory(folder["data"]);
        var shared = Directory.CreateDirectory(folder["shared"]).FullName;
        File.SetUnixFileMode(shared, (UnixFileMode)0b1_111_111_111);
        Directory.CreateSymbolicLink(Path.Combine(folder["data"], "parts"), shared);
        var ended = await Processes.RunAsync([Processes.Program("agnes-server"), "--data-dir", folder["data"], "--urls", "http://127.0.0.1:0"], Settings, stop: Stop);
        ended.ExitCode.ShouldBe(3, ended.Errors);
        ended.Errors.ShouldContain($"{Path.Combine(folder["data"], "parts")} is a link to {shared}, which others can open");
        File.GetUnixFileMode(shared).ShouldBe((UnixFileMode)0b1_111_111_111);
    }

    private static string Made(params string[] path)
    {
        var file = Path.Combine(path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, "{}");
        return file;
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static void Open(string folder)
    {
        foreach (var entry in Entries(folder).Where(entry => entry.LinkTarget is null)) entry.UnixFileMode = entry is DirectoryInfo ? (UnixFileMode)0b111_101_101 : (UnixFileMode)0b110_100_100;
    }

    private static Dictionary<string, string> Settings => new(StringComparer.Ordinal) { ["AGNES_MEMORY"] = "1GiB" };

    private static List<FileSystemInfo> Entries(string folder) =>
        [new DirectoryInfo(folder), .. new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None })];

    private static async Task<JsonNode> DemoAsync(Running server, string file)
    {
        while (!File.Exists(file))
        {
            if (!await server.IsRunningAsync()) throw new InvalidOperationException(server.Said);
            await Task.Delay(LookEvery, Stop);
        }

        return JsonNode.Parse(await File.ReadAllTextAsync(file, Stop))!;
    }

    private static async Task UploadAsync(string url, string token)
    {
        using var client = new HttpClient { BaseAddress = new Uri(url) };
        client.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var form = new MultipartFormDataContent();
        var file = new StringContent("{}\n");
        file.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        form.Add(file, "file", "one.jsonl");
        using var answer = await client.PostAsync("/api/upload/sessions", form, Stop);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{answer.StatusCode} {await answer.Content.ReadAsStringAsync(Stop)}");
    }
}
