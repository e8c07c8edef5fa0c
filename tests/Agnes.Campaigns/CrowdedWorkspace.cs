using System.Diagnostics;
using System.Runtime.InteropServices;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Campaigns;

/// <summary>
/// Eight pulls and twenty queries at once in one workspace, while another program holds the local database open all the time: no lock error, no mixed version.
/// </summary>
internal static partial class CrowdedWorkspace
{
    private const int Pulls = 8;
    private const int Queries = 20;
    private const int HoldSecondsMin = 60;
    private const int HeldMax = 4;

    public static async Task RunAsync(CampaignRun run)
    {
        using var laptops = await Laptops.StartAsync(run.Cancellation);
        using var folder = new TemporaryFolder();
        var workspace = Directory.CreateDirectory(folder["workspace"]).FullName;
        var laptop = laptops.Environment(workspace, folder["config"]);
        var first = await Programs.RunAsync("agnes", ["pull", "--json"], laptop, run.Cancellation);
        if (first.ExitCode != 0) run.Fail($"the first pull exited {first.ExitCode}: {first.Output}");
        // Of each version that is replaced a holder stays a while: a program that began before a pull reads what it began with. Each has a link of its own to the
        // workspace, since one process shares an open database by its path.
        var held = new Queue<DuckDBConnection>([Hold(workspace, folder["seen-0"])]);
        var clock = Stopwatch.StartNew();
        for (var round = 1; round <= run.Count || (run.Count > 2 && clock.Elapsed.TotalSeconds < HoldSecondsMin); round++)
        {
            run.Progress(round);
            held.Enqueue(Hold(workspace, folder[$"seen-{round}"]));
            if (held.Count > HeldMax) await held.Dequeue().DisposeAsync();
            laptops.Write(round);
            await laptops.SyncAsync(run.Cancellation);
            var pulls = Enumerable.Range(0, Pulls).Select(index => Programs.RunAsync("agnes", index % 2 == 0 ? ["pull", "--json"] : ["pull", "--quiet"], laptop, run.Cancellation)).ToList();
            var queries = Enumerable.Range(0, Queries).Select(index => Laptops.EditionAsync(run, laptop, $"round {round}, query {index}")).ToList();
            foreach (var pull in await Task.WhenAll(pulls))
            {
                if (pull.ExitCode != 0) run.Fail($"round {round}: a pull exited {pull.ExitCode}: {pull.Output}");
                else run.Add("pulls");
            }

            foreach (var edition in await Task.WhenAll(queries))
            {
                if (edition == round || edition == round - 1) run.Add("queries that saw one version");
                else if (edition is not null) run.Fail($"round {round}: a query saw edition {edition}");
            }

            if (await Laptops.EditionAsync(run, laptop, $"round {round}, afterwards") is { } last && last != round) run.Fail($"round {round}: afterwards a query saw edition {last}");
        }

        foreach (var connection in held) await connection.DisposeAsync();
    }

    /// <summary>As a person's own tool has it: open for reading, in the middle of a result, from one pull to the next.</summary>
    private static DuckDBConnection Hold(string workspace, string copy)
    {
        Directory.CreateDirectory(copy);
        var path = Path.Combine(copy, "analytics.duckdb");
        if (Link(Path.Combine(workspace, "user", "duckdb", "analytics.duckdb"), path) != 0) throw new IOException(Marshal.GetLastPInvokeErrorMessage());
        var connection = new DuckDBConnection($"Data Source={path};access_mode=READ_ONLY");
        connection.Open();
        var reader = new DuckDBCommand("FROM parted", connection).ExecuteReader();
        reader.Read();
        return connection;
    }

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Link(string existing, string name);
}
