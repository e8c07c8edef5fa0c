using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.Keboola;

/// <summary>What is used of Keboola's Storage API, with its answers: a project of tables behind one token, errors as JSON with <c>error</c>, <c>code</c> and <c>status</c>.</summary>
public sealed class KeboolaServer : IAsyncDisposable
{
    public const string Token = "123-45678-marker-token-of-the-emulator";
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, KeboolaTable> _tables = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<int> _next = new();

    private KeboolaServer(WebApplication app) => _app = app;

    public string Address { get; private set; } = "";

    /// <summary>What was said of columns: table, column, provider, key and value, oldest first.</summary>
    public ConcurrentQueue<(string Table, string Column, string Provider, string Key, string Value)> Metadata { get; } = new();

    /// <summary>Answers the next request with the right token so, whatever it asks.</summary>
    public void AnswerNext(int status) => _next.Enqueue(status);

    /// <param name="id">With its bucket: <c>in.c-crm.orders</c>.</param>
    public void Add(string id, long rows, params string[] columns) => _tables[id] = new KeboolaTable(id, rows, columns);

    public static async Task<KeboolaServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new KeboolaServer(app);
        app.Use(server.AuthorizeAsync);
        app.MapGet("/v2/storage/tokens/verify", () => Results.Json(new JsonObject { ["id"] = "45678", ["description"] = "emulator", ["isExpired"] = false, ["owner"] = new JsonObject { ["id"] = 123, ["name"] = "Emulator" } }));
        app.MapGet("/v2/storage/tables", () => Results.Json(new JsonArray([.. server._tables.Values.OrderBy(table => table.Id, StringComparer.Ordinal).Select(table => (JsonNode)table.ToJson())])));
        app.MapPost("/v2/storage/tables/{table}/columns/{column}/metadata", server.DescribeAsync);
        app.MapFallback(() => Error(StatusCodes.Status404NotFound, "Route not found.", "notFound"));
        await app.StartAsync();
        server.Address = app.Urls.First();
        return server;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task AuthorizeAsync(HttpContext context, RequestDelegate next)
    {
        IResult? refused = null;
        if (context.Request.Headers["X-StorageApi-Token"] != Token) refused = Error(StatusCodes.Status401Unauthorized, "Invalid access token", "storage.tokenInvalid");
        else if (_next.TryDequeue(out var status)) refused = Error(status, "As it was asked for.", "emulator");
        if (refused is null) await next(context);
        else await refused.ExecuteAsync(context);
    }

    private async Task<IResult> DescribeAsync(HttpContext context, string table, string column)
    {
        if (!_tables.TryGetValue(table, out var known)) return Error(StatusCodes.Status404NotFound, $"The table \"{table}\" was not found in the project", "storage.tables.notFound");
        if (!known.Columns.Contains(column, StringComparer.Ordinal)) return Error(StatusCodes.Status404NotFound, $"Column \"{column}\" was not found in table \"{table}\"", "storage.columns.notFound");
        var body = await JsonNode.ParseAsync(context.Request.Body);
        if ((string?)body?["provider"] is not { Length: > 0 } provider || body["metadata"] is not JsonArray { Count: > 0 } entries) return Error(StatusCodes.Status400BadRequest, "Provider and metadata are required", "storage.metadata.validation");
        foreach (var entry in entries) Metadata.Enqueue((table, column, provider, (string)entry!["key"]!, (string)entry["value"]!));
        return Results.Json(new JsonArray([.. entries.Select((entry, index) => (JsonNode)new JsonObject { ["id"] = $"{index + 1}", ["provider"] = provider, ["key"] = (string)entry!["key"]!, ["value"] = (string)entry["value"]! })]), statusCode: StatusCodes.Status201Created);
    }

    private static IResult Error(int status, string message, string code) =>
        Results.Json(new JsonObject { ["error"] = message, ["code"] = code, ["exceptionId"] = "exception-emulator", ["status"] = "error" }, statusCode: status);

    private sealed record KeboolaTable(string Id, long Rows, IReadOnlyList<string> Columns)
    {
        public JsonObject ToJson()
        {
            var cut = Id.LastIndexOf('.');
            return new JsonObject
            {
                ["uri"] = $"https://connection.example.com/v2/storage/tables/{Id}",
                ["id"] = Id,
                ["name"] = Id[(cut + 1)..],
                ["displayName"] = Id[(cut + 1)..],
                ["rowsCount"] = Rows,
                ["bucket"] = new JsonObject { ["id"] = Id[..cut], ["stage"] = Id[..Id.IndexOf('.', StringComparison.Ordinal)] },
            };
        }
    }
}
