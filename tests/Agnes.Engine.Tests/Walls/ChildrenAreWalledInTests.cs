using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text.Json;
using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Query.Workers;
using Agnes.Engine.Tests.Query;
using Agnes.Testing;

namespace Agnes.Engine.Tests.Walls;

/// <summary>What a child can do when everything of ours that holds it has failed: the kernel does not let it open, reach or start what it was not given.</summary>
public sealed partial class ChildrenAreWalledInTests(Bench bench) : IClassFixture<Bench>
{
    private static readonly string[] Allowed = ["read what was given", "write in scratch", "run in many threads"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static bool IsHere => KernelWalls.Here.Missing.Count == 0;

    [Fact]
    public async Task A_child_opens_what_it_was_given_and_reaches_nothing_else()
    {
        if (!IsHere) return;
        using var folder = new TemporaryFolder();
        var (parts, state, scratch) = (Made(folder["parts"]), Made(folder["state"]), Made(folder["scratch"]));
        var given = Path.Combine(parts, "given.txt");
        var outside = Path.Combine(state, "system.duckdb");
        await File.WriteAllTextAsync(given, "given", Stop);
        await File.WriteAllTextAsync(outside, "hidden", Stop);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var child = ChildProcess.Start(WorkerProgram.Default, Probe.Role, scratch, new Reach([parts], []));
        var tries = await AskAsync(child, new ProbeRequest(outside, given, Environment.ProcessId, ((IPEndPoint)listener.LocalEndpoint).Port));

        tries.Where(attempt => attempt.Value == "ok").Select(attempt => attempt.Key).ShouldBe(Allowed, string.Join('\n', tries));
        tries.Count.ShouldBeGreaterThan(25);
        (await File.ReadAllTextAsync(given, Stop)).ShouldBe("given");
        Describe(child.Id).ShouldBe(Closed);
    }

    [Fact]
    public async Task A_child_that_makes_connections_makes_no_others()
    {
        if (!IsHere) return;
        using var folder = new TemporaryFolder();
        var given = Path.Combine(folder.Path, "given.txt");
        await File.WriteAllTextAsync(given, "given", Stop);
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        await using var child = ChildProcess.Start(WorkerProgram.Default, Probe.Role, Made(folder["scratch"]), new Reach([given], [], Network: true));
        var tries = await AskAsync(child, new ProbeRequest("/etc/shadow", given, Environment.ProcessId, ((IPEndPoint)listener.LocalEndpoint).Port));
        tries.Where(attempt => attempt.Value == "ok").Select(attempt => attempt.Key).ShouldBe([.. Allowed, "connect to loopback"], ignoreOrder: true, string.Join('\n', tries));
    }

    [Fact]
    public async Task Query_workers_are_closed_and_hold_nothing_open_of_the_server()
    {
        if (!IsHere) return;
        await using (var worker = await QueryWorker.StartAsync(bench.Pool.Options, bench.Pool.Fetched, isShort: true, Stop)) worker.IsLost.ShouldBeFalse();
        var (outcome, _) = await bench.RunAsync("SELECT count(*) FROM orders");
        outcome.IsOk.ShouldBeTrue(outcome.Message);
        var scratch = Path.Combine(bench.Folder, "scratch");
        foreach (var id in bench.Pool.ProcessIds())
        {
            Describe(id).ShouldBe(Closed);
            var open = Directory.GetFiles($"/proc/{id}/fd").Select(file => new FileInfo(file).LinkTarget ?? "").Where(target => target.StartsWith('/')).ToList();
            open.ShouldAllBe(target => target.StartsWith(bench.Parts, StringComparison.Ordinal) || target.StartsWith(scratch, StringComparison.Ordinal)
                || target.StartsWith("/dev/", StringComparison.Ordinal) || target.StartsWith("/proc/", StringComparison.Ordinal) || target.StartsWith("/memfd:", StringComparison.Ordinal) || target.EndsWith(".dll", StringComparison.Ordinal));
        }
    }

    /// <summary>A supervisor, a shell or a socket unit left it open, without the mark that would close it.</summary>
    [Theory]
    [InlineData(WallMode.Available)]
    [InlineData(WallMode.Off)]
    public async Task What_the_server_was_started_with_is_not_handed_down(WallMode walls)
    {
        if (!OperatingSystem.IsLinux()) return;
        using var folder = new TemporaryFolder();
        var left = folder["left-open"];
        await File.WriteAllTextAsync(left, "hidden", Stop);
        var descriptor = OpenUnmarked(left, 0, 0);
        descriptor.ShouldBeGreaterThan(2);
        try
        {
            await using var child = ChildProcess.Start(new WorkerProgram("/bin/sh", []) { Walls = walls }, "-c", Made(folder["scratch"]), Reach.Nothing, null, "echo started; read line");
            // Before it says so, the loader may still hold a library open.
            (await new StreamReader(child.Output).ReadLineAsync(Stop)).ShouldBe("started");
            Directory.GetFiles($"/proc/{child.Id}/fd").Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal).ShouldBe(["0", "1", "2"]);
            Directory.GetFiles($"/proc/{child.Id}/fd").ShouldAllBe(file => (new FileInfo(file).LinkTarget ?? "").StartsWith("pipe:", StringComparison.Ordinal) || (new FileInfo(file).LinkTarget ?? "").StartsWith("socket:", StringComparison.Ordinal));
        }
        finally
        {
            _ = Libc.Close(descriptor);
        }
    }

    /// <summary>Without its own filter: the kernel's walls around files hold signals too.</summary>
    [Fact]
    public async Task A_child_sends_no_signal_to_another_of_the_same_user()
    {
        if (!IsHere || KernelWalls.Here.Landlock < 6 || !LinuxCalls.ScopesSignals()) return;
        using var folder = new TemporaryFolder();
        await using var other = ChildProcess.Start(new WorkerProgram("/bin/sleep", []), "600", Made(folder["one"]), Reach.Nothing);
        await using var child = ChildProcess.Start(new WorkerProgram("/bin/sh", []), "-c", Made(folder["two"]), Reach.Nothing, null, $"kill -9 {other.Id} 2>/dev/null || echo refused");
        (await new StreamReader(child.Output).ReadToEndAsync(Stop)).ShouldBe("refused\n");
        other.Exited.IsCompleted.ShouldBeFalse();
    }

    /// <summary>Of a processor that both want, a statement gets the larger share.</summary>
    [Fact]
    public async Task What_writes_tables_works_behind_what_answers()
    {
        if (!IsHere) return;
        using var folder = new TemporaryFolder();
        await using var writes = ChildProcess.Start(new WorkerProgram("/bin/sleep", []), "600", Made(folder["one"]), new Reach([], [Made(folder["data"])]));
        await using var reads = ChildProcess.Start(new WorkerProgram("/bin/sleep", []), "600", Made(folder["two"]), new Reach([Made(folder["data"])], []));
        var own = Niceness(Environment.ProcessId);
        Niceness(reads.Id).ShouldBe(own);
        Niceness(writes.Id).ShouldBe(Math.Max(own, 5));
    }

    [Fact]
    public async Task The_server_itself_stays_what_it_was_when_it_starts_children()
    {
        if (!IsHere) return;
        using var folder = new TemporaryFolder();
        for (var i = 0; i < 5; i++)
        {
            await using var child = ChildProcess.Start(new WorkerProgram("/bin/sleep", []), "600", folder.Path, Reach.Nothing);
            await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => GC.Collect(0), Stop)));
        }

        await using var last = ChildProcess.Start(new WorkerProgram("/bin/sleep", []), "600", folder.Path, Reach.Nothing);
        var looked = 0;
        foreach (var thread in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                Describe(Path.Combine(thread, "status")).ShouldContain("NoNewPrivs 0");
                looked++;
            }
            catch (IOException)
            {
                // A thread of the pool has ended since the folder was read.
            }
        }

        looked.ShouldBeGreaterThan(1);
        (await File.ReadAllTextAsync("/etc/passwd", Stop)).ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Where_walls_are_required_no_child_is_started_without()
    {
        if (OperatingSystem.IsWindows() || !IsHere || !Environment.IsPrivilegedProcess) return;
        using var folder = new TemporaryFolder();
        var file = folder["sleep"]; // nobody but root may run it, so that it cannot have a user of its own
        File.Copy("/bin/sleep", file);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var program = new WorkerProgram(file, []);
        var refused = Should.Throw<WallException>(() => ChildProcess.Start(program with { Walls = WallMode.Required }, "600", folder.Path, Reach.Nothing));
        refused.Message.ShouldContain("does not offer: a user of their own");
        program.MissingWalls.ShouldBe(["a user of their own (setresuid)"]);
        await using var child = ChildProcess.Start(program, "600", folder.Path, Reach.Nothing);
        Describe(child.Id).ShouldBe("NoNewPrivs 1, Seccomp 0, Uid 0"); // no program of ours, which would have put its filter up
        File.ReadLines($"/proc/{child.Id}/status").Single(line => line.StartsWith("CapEff:", StringComparison.Ordinal)).ShouldEndWith("\t0000000000000000");
    }

    /// <summary>Walks every path that each child may open.</summary>
    [Fact]
    public void Nothing_is_hidden_below_what_every_child_reads()
    {
        if (!OperatingSystem.IsLinux()) return;
        var program = WorkerProgram.Default.File;
        var trees = RuntimeFiles.Readable(program).Concat(RuntimeFiles.OfTheNetwork).Concat(RuntimeFiles.ReadableButNotListed).Where(Directory.Exists).ToList();
        trees.Count.ShouldBeGreaterThan(5);
        trees.Where(tree => RuntimeFiles.Exposed(program, [Path.Combine(tree, "agnes", "state")], []).Count == 0).ShouldBeEmpty();
        RuntimeFiles.Exposed(program, ["/data/parts/state"], ["/"]).ShouldHaveSingleItem();
        RuntimeFiles.Exposed(program, ["/var/lib/agnes", "/data", "/usr/libagnes", "/app/config"], []).ShouldBeEmpty();
    }

    private static string Closed => $"NoNewPrivs 1, Seccomp 2, Uid {(Environment.IsPrivilegedProcess ? KernelWalls.ChildUser : uint.Parse(Environment.GetEnvironmentVariable("UID") ?? "0"))}";

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenUnmarked(string path, int flags, int mode);

    private static string Made(string folder) => Directory.CreateDirectory(folder).FullName;

    private static string Describe(int process) => Describe($"/proc/{process}/status");

    private static string Describe(string status)
    {
        var lines = File.ReadAllLines(status).Select(line => line.Split([':', '\t'], StringSplitOptions.RemoveEmptyEntries)).ToDictionary(line => line[0], line => line.ElementAtOrDefault(1), StringComparer.Ordinal);
        return $"NoNewPrivs {lines["NoNewPrivs"]}, Seccomp {lines["Seccomp"]}, Uid {lines["Uid"]}";
    }

    private static async Task<Dictionary<string, string>> AskAsync(ChildProcess child, ProbeRequest request)
    {
        await child.Input.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(request), Stop);
        await child.Input.WriteAsync("\n"u8.ToArray(), Stop);
        await child.Input.FlushAsync(Stop);
        var lines = new StreamReader(child.Output);
        var tries = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await lines.ReadLineAsync(Stop) is { } line && line != "done")
        {
            var colon = line.IndexOf(": ", StringComparison.Ordinal);
            tries.Add(line[..colon], line[(colon + 2)..]);
        }

        if (tries.Count == 0) throw new InvalidOperationException($"The probe said nothing: {child.ErrorTail}");
        return tries;
    }

    private static int Niceness(int process)
    {
        var stat = File.ReadAllText($"/proc/{process}/stat");
        return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[16], System.Globalization.CultureInfo.InvariantCulture); // the 19th field, of which two are before
    }
}
