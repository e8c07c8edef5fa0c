using System.Diagnostics;
using System.Text.Json;
using Agnes.Emulators.BigQuery;

namespace Agnes.Connectors.Tests.BigQuery;

/// <summary>The emulator is as true as Google's own client for Node.js finds it: every call that we make is made by it too.</summary>
public sealed class GoogleClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Googles_own_client_works_against_the_emulator()
    {
        await using var cloud = await Cloud.StartAsync();
        cloud.Server.Warehouse.AddTable(Cloud.Data, "sales", "everything", EveryType.Columns, EveryType.Rows);
        cloud.Server.PageRowsMax = 2;
        cloud.Server.Break(Call.GetQueryResults, Trouble.Of("backendError"));
        using var seen = JsonDocument.Parse(await RunAsync(cloud.Server));
        string Of(string name) => seen.RootElement.GetProperty(name).GetRawText();

        Of("rows").ShouldBe(
            """[{"id":1,"name":"n1","tags":[],"home":{"city":"c1","zip":10}},{"id":2,"name":"n2","tags":["a","b"],"""
            + "\"home\":{\"city\":\"c2\",\"zip\":20}}]");
        Of("dry").ShouldBe(
            """{"bytes":"56","type":"SELECT","tables":[{"projectId":"data-project","datasetId":"sales","tableId":"orders"}],"""
            + "\"schema\"" + """:{"fields":[{"name":"id","type":"INTEGER","mode":"NULLABLE"}]}}""");
        Of("pages").ShouldBe("[[1,2],[3,4],[5,6],[7]]");
        Of("job").ShouldBe("""{"id":"chosen-by-the-caller","billed":"10485760","labels":{"agnes":"test"},"state":"DONE"}""");
        Of("again").ShouldContain("\"reason\":\"duplicate\"");
        Of("cancelled").ShouldContain("\"reason\":\"stopped\"");
        Of("datasets").ShouldBe("""["empty","sales"]""");
        Of("location").ShouldBe("\"EU\"");
        Of("tables").ShouldBe(
            """[["cheap","VIEW"],["everything","TABLE"],["huge","TABLE"],["orders","TABLE"],["outside","EXTERNAL"],"""
            + """["totals","MATERIALIZED_VIEW"]]""");
        Of("table").ShouldContain("\"partitioning\":{\"type\":\"DAY\",\"field\":\"day\"}");
        Of("table").ShouldContain("[\"home\",\"RECORD\",\"NULLABLE\"]");
        Of("listed").ShouldBe($"[{seen.RootElement.GetProperty("types")[0].GetRawText()}]");
        Of("listedNext").ShouldBe("\"more\"");
        Of("unlisted").ShouldContain("\"code\":400,\"reason\":\"invalid\"");
        Of("types").ShouldContain("\"t\":{\"value\":\"2026-01-02T03:04:05.678Z\"}");
        Of("types").ShouldContain("\"r\":{\"elementType\":\"DATE\",\"start\":{\"value\":\"2026-01-01\"}");
        Of("missing").ShouldContain("\"code\":404,\"reason\":\"notFound\"");
        Of("invalid").ShouldContain("\"code\":400,\"reason\":\"invalidQuery\"");
        Of("tooMuch").ShouldContain("\"reason\":\"bytesBilledLimitExceeded\"");
        Of("noTable").ShouldContain("\"code\":404,\"reason\":\"notFound\"");
        cloud.Server.Jobs.Single(job => job.Id == "to-be-cancelled").BytesBilled.ShouldBe(0);
    }

    private static async Task<string> RunAsync(BigQueryServer server)
    {
        var script = Path.Combine(Root(), "tests", "Agnes.Connectors.Tests", "BigQuery", "google-client.mjs");
        var address = server.Address.GetLeftPart(UriPartial.Authority);
        var info = new ProcessStartInfo(
            "node", [script, address])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true
        };
        info.Environment["GCE_METADATA_HOST"] = server.Address.Authority;
        info.Environment.Remove("GOOGLE_APPLICATION_CREDENTIALS");
        using var time = CancellationTokenSource.CreateLinkedTokenSource(Cloud.Stop);
        time.CancelAfter(Patience);
        using var node = Process.Start(info)!;
        var errors = node.StandardError.ReadToEndAsync(time.Token);
        try
        {
            while (await node.StandardOutput.ReadLineAsync(time.Token) is { } line)
            {
                if (line is not ("hold" or "release")) return line;
                if (line == "hold") server.HoldJobs();
                else server.ReleaseJobs();
                await node.StandardInput.WriteLineAsync("go".AsMemory(), time.Token);
                await node.StandardInput.FlushAsync(time.Token);
            }
        }
        finally
        {
            if (!node.HasExited) node.Kill(entireProcessTree: true);
        }

        throw new InvalidOperationException($"Google's client ended: {await errors}");
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "package-lock.json"))) folder = folder.Parent
            ?? throw new InvalidOperationException("The repository is not around the tests.");
        return folder.FullName;
    }
}
