using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Agnes.Protocol;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace Agnes.Cli.Tests;

/// <summary>A server that speaks the download protocol over real HTTP and does to it what a test asks for.</summary>
internal sealed class FakeServer : IAsyncDisposable
{
    /// <summary>A JSON Web Token of ana@example.com; the signature is for show.</summary>
    public const string Token = "eyJhbGciOiJIUzI1NiJ9.eyJlbWFpbCI6ImFuYUBleGFtcGxlLmNvbSIsInN1YiI6IjEiLCJleHAiOjQxMDI0NDQ4MDB9.c2lnbmF0dXJl";

    private readonly WebApplication _app;

    private FakeServer(WebApplication app, string url) => (_app, Url) = (app, url);

    public string Url { get; }

    /// <summary>What is in the manifest.</summary>
    public ConcurrentDictionary<string, FakeTable> Tables { get; } = new(StringComparer.Ordinal);

    /// <summary>Parts that can be fetched, also those of versions no longer named.</summary>
    public ConcurrentDictionary<string, byte[]> Parts { get; } = new(StringComparer.Ordinal);

    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Looks at every request first; true: it has been answered.</summary>
    public Func<HttpContext, Task<bool>>? Intercept { get; set; }

    public bool HasETags { get; set; } = true;

    public IEnumerable<string> Downloads => Requests.Where(request => request.Contains("/api/data/", StringComparison.Ordinal));

    public static async Task<FakeServer> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0").ConfigureKestrel(options => options.Limits.MinResponseDataRate = null);
        builder.Services.AddRoutingCore();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        FakeServer? server = null;
        app.Run(context => server!.AnswerAsync(context));
        await app.StartAsync();
        server = new FakeServer(app, app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        return server;
    }

    public FakeTable Add(string name, params byte[][] parts) => Add(name, "local", parts);

    public FakeTable Add(string name, string mode, params byte[][] parts)
    {
        var table = new FakeTable(mode, [.. parts.Select((bytes, index) => new TablePart(parts.Length == 1 ? $"{name}.parquet" : $"part-{index}.parquet", Hash(bytes), bytes.Length, 1))]);
        foreach (var bytes in parts) Parts[Hash(bytes)] = bytes;
        return Tables[name] = table;
    }

    /// <summary>As an older server has it: one file, known by its MD5.</summary>
    public FakeTable AddPlain(string name, byte[] bytes, string? md5 = null) =>
        Tables[name] = new FakeTable("local", []) { File = bytes, Md5 = md5 ?? Convert.ToHexStringLower(MD5.HashData(bytes)) };

    public static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        var request = context.Request;
        var range = request.Headers.Range.ToString();
        Requests.Enqueue($"{request.Method} {request.Path}{(range.Length > 0 ? " " + range : "")}");
        if (Intercept is { } intercept && await intercept(context)) return;
        if (request.Headers.Authorization != $"Bearer {Token}" && request.Path != "/auth/token")
        {
            await JsonAsync(context, 401, """{"detail":"Invalid or expired token"}""");
            return;
        }

        var parts = request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        await (parts switch
        {
            ["api", "sync", "manifest"] => ManifestAsync(context),
            ["api", "sync", "parts", var table, var digest] => PartsListAsync(context, table, digest),
            ["api", "data", var table, "parts", var sha] => PartAsync(context, table, sha),
            ["api", "data", var table, "download"] => FileAsync(context, Tables.GetValueOrDefault(Uri.UnescapeDataString(table))?.File),
            ["api", "catalog", "tables"] => JsonAsync(context, 200, """{"tables":[],"count":0}"""),
            _ => JsonAsync(context, 404, """{"detail":"Page not found"}"""),
        });
    }

    public static async Task JsonAsync(HttpContext context, int status, string body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body);
    }

    private Task ManifestAsync(HttpContext context)
    {
        var tables = new JsonObject();
        foreach (var (name, table) in Tables.OrderBy(pair => pair.Key, StringComparer.Ordinal)) tables[name] = table.Entry(name);
        var tag = $"\"{Hash(System.Text.Encoding.UTF8.GetBytes(tables.ToJsonString()))}\"";
        if (HasETags)
        {
            if (context.Request.Headers.IfNoneMatch == tag)
            {
                context.Response.StatusCode = 304;
                return Task.CompletedTask;
            }

            context.Response.Headers.ETag = tag;
        }

        return JsonAsync(context, 200, new JsonObject { ["tables"] = tables, ["assets"] = new JsonObject(), ["server_time"] = "2026-01-05T10:01:00+00:00" }.ToJsonString());
    }

    private Task PartsListAsync(HttpContext context, string name, string digest)
    {
        var table = Tables.GetValueOrDefault(name);
        if (table is null || PartsList.Digest(table.Parts) != digest) return JsonAsync(context, 404, """{"detail":"Not found"}""");
        var list = new JsonArray([.. table.Parts.Select(part => (JsonNode)new JsonObject { ["name"] = part.Name, ["sha256"] = part.Sha256, ["size_bytes"] = part.SizeBytes, ["rows"] = part.Rows })]);
        return JsonAsync(context, 200, new JsonObject { ["version"] = table.Version, ["columns"] = new JsonArray(), ["parts"] = list }.ToJsonString());
    }

    private Task PartAsync(HttpContext context, string table, string sha) =>
        Tables.ContainsKey(table) && Parts.TryGetValue(sha, out var bytes) ? FileAsync(context, bytes, $"\"{sha}\"") : JsonAsync(context, 404, """{"detail":"Not found"}""");

    private static async Task FileAsync(HttpContext context, byte[]? bytes, string? tag = null)
    {
        if (bytes is null)
        {
            await JsonAsync(context, 404, """{"detail":"Table not found"}""");
            return;
        }

        var result = Results.Bytes(bytes, "application/octet-stream", enableRangeProcessing: true, entityTag: new EntityTagHeaderValue(tag ?? $"\"{Hash(bytes)}\""));
        context.RequestServices = new ServiceCollection().AddLogging().BuildServiceProvider();
        await result.ExecuteAsync(context);
    }

    /// <summary>Sends the headers of a whole answer and then only some of it, and cuts the connection.</summary>
    public static async Task CutAsync(HttpContext context, byte[] bytes, int after)
    {
        context.Response.StatusCode = (int)HttpStatusCode.OK;
        context.Response.ContentLength = bytes.Length;
        context.Response.Headers.ETag = $"\"{Hash(bytes)}\"";
        await context.Response.Body.WriteAsync(bytes.AsMemory(0, after));
        await context.Response.Body.FlushAsync();
        await Task.Delay(50);
        context.Abort();
    }
}

internal sealed record FakeTable(string Mode, IReadOnlyList<TablePart> Parts)
{
    public byte[]? File { get; init; }

    public string? Md5 { get; init; }

    public long Version { get; init; } = 1;

    public JsonObject Entry(string name)
    {
        var entry = new JsonObject
        {
            ["hash"] = Md5 ?? "",
            ["updated"] = "2026-01-05T10:00:00",
            ["size_bytes"] = File?.Length ?? Parts.Sum(part => part.SizeBytes),
            ["rows"] = 1,
            ["query_mode"] = Mode,
            ["source_type"] = "csv",
        };
        if (Parts.Count == 0) return entry;
        entry["id"] = name;
        entry["version"] = Version;
        if (Parts.Count == 1) entry["sha256"] = Parts[0].Sha256;
        if (Parts.Count == 1) return entry;
        entry["parts_count"] = Parts.Count;
        entry["parts_digest"] = PartsList.Digest(Parts);
        return entry;
    }
}
