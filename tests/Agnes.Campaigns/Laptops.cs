using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Testing;

namespace Agnes.Campaigns;

/// <summary>A real server with one table in many parts, and the environment of a laptop that may read it.</summary>
internal sealed class Laptops : IDisposable
{
    public const int Rows = 12_000;
    private const int Parts = 6;
    private const string Email = "admin@example.com";
    private const string Password = "campaign-password";
    private readonly TemporaryFolder _folder;

    private Laptops(ServerProcess server, TemporaryFolder folder, string token) => (Server, _folder, Token) = (server, folder, token);

    public ServerProcess Server { get; }

    public string Token { get; }

    public string DataDir => _folder["data"];

    public static async Task<Laptops> StartAsync(CancellationToken cancellation)
    {
        var folder = new TemporaryFolder();
        var environment = new Dictionary<string, string> { ["SEED_ADMIN_EMAIL"] = Email, ["SEED_ADMIN_PASSWORD"] = Password };
        var server = await ServerProcess.StartAsync(folder["data"], environment, cancellation);
        await server.SignInAsync(Email, Password, cancellation);
        var token = (string)(await server.PostAsync("/auth/tokens", new { name = "campaign" }, cancellation))["token"]!;
        var laptops = new Laptops(server, folder, token);
        laptops.Write(0);
        await server.PostAsync("/api/admin/register-table", new { name = "parted", source_type = "csv", bucket = "parts", source_table = "*.csv" }, cancellation);
        await laptops.SyncAsync(cancellation);
        return laptops;
    }

    public Dictionary<string, string> Environment(string workspace, string config) => new(StringComparer.Ordinal)
    {
        ["AGNES_SERVER"] = Server.Url,
        ["AGNES_TOKEN"] = Token,
        ["AGNES_LOCAL_DIR"] = workspace,
        ["AGNES_CONFIG_DIR"] = config,
        ["AGNES_NO_UPDATE_CHECK"] = "1",
    };

    /// <summary>Every row carries the edition, so that a mixture shows.</summary>
    public void Write(int edition)
    {
        var files = Directory.CreateDirectory(_folder["data", "csv", "parts"]).FullName;
        for (var part = 0; part < Parts; part++)
        {
            var path = Path.Combine(files, $"part-{part:00}.csv");
            File.WriteAllLines($"{path}.new", (string[])["edition,id,text", .. Enumerable.Range(0, Rows / Parts).Select(row => string.Create(CultureInfo.InvariantCulture, $"{edition},{row},{Guid.NewGuid()}"))]);
            File.Move($"{path}.new", path, overwrite: true);
        }
    }

    public async Task SyncAsync(CancellationToken cancellation)
    {
        var run = (string)(await Server.PostAsync("/api/sync/trigger", (string[])["parted"], cancellation))["run_id"]!;
        while (true)
        {
            var status = (string)JsonNode.Parse(await Server.Client.GetStringAsync($"/api/sync/runs/{run}", cancellation))!["status"]!;
            if (status is "succeeded" or "ok" or "done") return;
            if (status is not ("queued" or "running")) throw new InvalidOperationException($"The sync ended as {status}.");
            await Task.Delay(20, cancellation);
        }
    }

    /// <returns>The one edition that a query sees; null where it saw something else, which is noted.</returns>
    public static async Task<int?> EditionAsync(CampaignRun run, Dictionary<string, string> laptop, string where)
    {
        var query = await Programs.RunAsync("agnes", ["query", "--format", "json", "SELECT count(*) AS n, min(edition) AS first, max(edition) AS last FROM parted"], laptop, run.Cancellation);
        var row = query.ExitCode == 0 ? JsonNode.Parse(query.Output)?[0] : null;
        if (row is not null && (long)row["n"]! == Rows && (int)row["first"]! == (int)row["last"]!) return (int)row["first"]!;
        run.Fail($"{where}: the query gave {query.Output}");
        return null;
    }

    public void Dispose()
    {
        Server.Dispose();
        _folder.Dispose();
    }
}
