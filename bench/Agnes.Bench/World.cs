using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;

namespace Agnes.Bench;

/// <summary>A data folder with tables made by a foreign program (this one), a server over it, an admin, and an analyst who was granted everything.</summary>
internal sealed class World : IAsyncDisposable
{
    private const string AdminEmail = "admin@example.com";
    private const string AdminPassword = "bench-admin-password";
    private readonly string _url = $"http://127.0.0.1:{Child.FreePort()}"; // one for all starts: the clients keep it
    private Child? _server;

    private World(string folder) => Folder = folder;

    public string Folder { get; }

    public string Url { get; private set; } = "";

    public HttpClient Admin { get; } = new() { Timeout = TimeSpan.FromMinutes(10) };

    public string AdminToken { get; private set; } = "";

    public string AnalystToken { get; private set; } = "";

    /// <summary>Of the server, besides what it always has.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public TimeSpan StartedIn { get; private set; }

    public static string Program(string name) => Path.Combine(AppContext.BaseDirectory, "..", "..", name == "agnes" ? "Agnes.Cli" : "Agnes.Server", "release", name);

    public static World Create() => new(Directory.CreateTempSubdirectory("agnes-bench-").FullName);

    /// <summary>Writes a source as any program could that follows the extract contract: one Parquet file a table, made by <paramref name="select"/>.</summary>
    public void AddSource(string source, IEnumerable<(string Table, string Select)> tables)
    {
        var folder = Directory.CreateDirectory(Path.Combine(Folder, "extracts", source, "data")).FullName;
        var file = Path.Combine(Folder, "extracts", source, "extract.duckdb");
        using (var connection = new DuckDBConnection($"Data Source={file}.tmp"))
        {
            connection.Open();
            connection.ExecuteUnprepared("CREATE TABLE _meta(table_name VARCHAR NOT NULL, description VARCHAR, rows BIGINT, size_bytes BIGINT, extracted_at TIMESTAMP, query_mode VARCHAR DEFAULT 'local')");
            foreach (var (table, select) in tables)
            {
                var path = Path.Combine(folder, $"{table}.parquet");
                connection.ExecuteUnprepared($"COPY ({select}) TO '{path}.new' (FORMAT parquet, COMPRESSION zstd)");
                File.Move($"{path}.new", path, overwrite: true);
                connection.ExecuteUnprepared($"CREATE VIEW \"{table}\" AS SELECT * FROM read_parquet('{path}')");
                connection.ExecuteUnprepared($"INSERT INTO _meta SELECT '{table}', '', (SELECT count(*) FROM \"{table}\"), {new FileInfo(path).Length}, now() AT TIME ZONE 'UTC', 'local'");
            }

            connection.ExecuteUnprepared("CHECKPOINT");
        }

        File.Move($"{file}.tmp", file, overwrite: true);
    }

    public async Task StartAsync()
    {
        var environment = new Dictionary<string, string>(Environment)
        {
            ["DATA_DIR"] = Folder,
            ["ASPNETCORE_URLS"] = _url,
            ["SEED_ADMIN_EMAIL"] = AdminEmail,
            ["SEED_ADMIN_PASSWORD"] = AdminPassword,
            ["AGNES_AUTH_RATELIMIT_ENABLED"] = "0",
            ["AGNES_API_RATE"] = "0",
        };
        var clock = System.Diagnostics.Stopwatch.StartNew();
        (_server, var line) = await Child.StartAsync(Program("agnes-server"), [], text => text.Contains("Now listening on:", StringComparison.Ordinal), environment);
        StartedIn = clock.Elapsed;
        Url = environment["ASPNETCORE_URLS"];
        Admin.BaseAddress ??= new Uri(Url);
        Admin.DefaultRequestHeaders.Authorization = null;
        var session = await PostAsync("/auth/token", new { email = AdminEmail, password = AdminPassword });
        Admin.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)session["access_token"]!);
        if (AdminToken.Length == 0) AdminToken = (string)(await PostAsync("/auth/tokens", new { name = "bench" }))["token"]!;
    }

    public async Task StopAsync()
    {
        if (_server is null) return;
        await _server.DisposeAsync();
        _server = null;
    }

    /// <summary>Waits until so many tables are published.</summary>
    public async Task PublishedAsync(int tables)
    {
        for (var attempt = 0; attempt < 1200; attempt++)
        {
            if ((await GetAsync("/api/sync/manifest"))["tables"]!.AsObject().Count >= tables) return;
            await Task.Delay(250);
        }

        throw new InvalidOperationException($"{tables} tables were not published in time.");
    }

    public async Task GrantAllAsync(IEnumerable<string> tables)
    {
        const string password = "bench-analyst-password";
        var user = await PostAsync("/api/users", new { email = "analyst@example.com", name = "Analyst" });
        await PostAsync($"/api/users/{user["id"]}/set-password", new { password });
        var group = await PostAsync("/api/admin/groups", new { name = "Analysts" });
        await PostAsync($"/api/admin/groups/{group["id"]}/members", new { email = "analyst@example.com" });
        await PostAsync("/api/admin/grants/bulk", new { group_id = (string)group["id"]!, resource_type = "table", add = tables.ToArray(), remove = Array.Empty<string>() });
        using var client = new HttpClient { BaseAddress = new Uri(Url) };
        var session = await (await client.PostAsJsonAsync("/auth/token", new { email = "analyst@example.com", password })).Content.ReadFromJsonAsync<JsonNode>();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (string)session!["access_token"]!);
        AnalystToken = (string)(await (await client.PostAsJsonAsync("/auth/tokens", new { name = "bench" })).Content.ReadFromJsonAsync<JsonNode>())!["token"]!;
    }

    public async Task<JsonNode> GetAsync(string path) => (await Admin.GetFromJsonAsync<JsonNode>(path))!;

    public async Task<JsonNode> PostAsync(string path, object body)
    {
        using var response = await Admin.PostAsJsonAsync(path, body);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"POST {path} answered {(int)response.StatusCode}: {text}");
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    /// <summary>Resident megabytes of the server and of its children, from /proc.</summary>
    public double ResidentMegabytes()
    {
        long kilobytes = 0;
        foreach (var process in Processes())
        {
            try
            {
                var line = File.ReadLines($"/proc/{process}/status").First(text => text.StartsWith("VmRSS:", StringComparison.Ordinal));
                kilobytes = Math.Max(kilobytes, long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]));
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException or InvalidOperationException)
            {
                continue; // It ended between the listing and the reading.
            }
        }

        return kilobytes / 1024.0;
    }

    /// <summary>The server's own and those that it started.</summary>
    public IEnumerable<int> Processes()
    {
        var name = Path.GetFullPath(Program("agnes-server"));
        foreach (var path in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(path), out var process) && ProgramOf(path) == name) yield return process;
        }
    }

    private static string? ProgramOf(string process)
    {
        try
        {
            return new FileInfo(Path.Combine(process, "exe")).ResolveLinkTarget(true)?.FullName;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null; // ended between the listing and the reading, or somebody else's
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Admin.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
