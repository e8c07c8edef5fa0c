using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.Keboola;

/// <summary>
/// What is used of Keboola's Storage API, with its answers: a project of tables behind one token, exports as jobs, their files in the
/// stores of three clouds, errors as JSON with <c>error</c>, <c>code</c> and <c>status</c>. Goes wrong where a test says so.
/// </summary>
public sealed class KeboolaServer : IAsyncDisposable
{
    public const string Token = "123-45678-marker-token-of-the-emulator";
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, ProjectTable> _tables = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<int> _next = new();
    private readonly ConcurrentDictionary<Step, ConcurrentQueue<Trouble>> _troubles = new();
    private readonly ConcurrentDictionary<Step, (TimeSpan Asked, long At)> _toldToWait = new();
    private readonly CancellationTokenSource _ending = new();

    private KeboolaServer(WebApplication app)
    {
        _app = app;
        Jobs = new ExportJobs(this);
        Stores = new Stores(this);
    }

    public string Address { get; private set; } = "";

    public ExportJobs Jobs { get; }

    public Stores Stores { get; }

    /// <summary>How files of exports are written from here on.</summary>
    public FileForm Form { get; set; } = new();

    /// <summary>How far its clock is ahead of this machine's.</summary>
    public TimeSpan Ahead { get; set; }

    public DateTimeOffset Now => DateTimeOffset.UtcNow + Ahead;

    /// <summary>What was said of columns: table, column, provider, key and value, oldest first.</summary>
    public ConcurrentQueue<(string Table, string Column, string Provider, string Key, string Value)> Metadata { get; } = new();

    /// <summary>Every request: what was asked, with its parameters, and which of the headers that hold secrets it bore.</summary>
    public ConcurrentQueue<(string Method, string Path, bool HasToken, bool HasBearer)> Calls { get; } = new();

    /// <summary>How long a client that was told to wait waited before it asked for the same step again, and how long it was to.</summary>
    public ConcurrentQueue<(Step Step, TimeSpan Asked, TimeSpan Waited)> Waits { get; } = new();

    /// <summary>Answers the next request with the right token so, whatever it asks.</summary>
    public void AnswerNext(int status) => _next.Enqueue(status);

    /// <summary>Goes wrong at the next request of a step, and, where several are given, at those after it.</summary>
    public void Break(Step step, params Trouble[] troubles)
    {
        foreach (var trouble in troubles) _troubles.GetOrAdd(step, _ => new()).Enqueue(trouble);
    }

    /// <summary>Nothing goes wrong any more.</summary>
    public void Mend()
    {
        _troubles.Clear();
        _next.Clear();
    }

    /// <summary>Whether everything that was to go wrong did.</summary>
    public bool IsMended => _troubles.Values.All(queue => queue.IsEmpty) && _next.IsEmpty;

    /// <param name="id">With its bucket: <c>in.c-crm.orders</c>.</param>
    public void Add(string id, long rows, params string[] columns) => Add(new ProjectTable(id, columns) { RowsSaid = rows });

    public ProjectTable Add(ProjectTable table) => _tables[table.Id] = table;

    public ProjectTable? Find(string id) => _tables.GetValueOrDefault(id);

    public static async Task<KeboolaServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new KeboolaServer(app);
        app.Use(server.AuthorizeAsync);
        app.MapGet("/v2/storage/tokens/verify", () => Results.Json(new JsonObject
        {
            ["id"] = "45678",
            ["description"] = "emulator",
            ["isExpired"] = false,
            ["owner"] = new JsonObject { ["id"] = 123, ["name"] = "Emulator" },
        }));
        app.MapGet("/v2/storage/buckets", server.ListBuckets);
        app.MapGet("/v2/storage/tables", context => server.GuardedAsync(context, Step.List, () => server.ListTables()));
        app.MapGet("/v2/storage/tables/{table}", (HttpContext context, string table) =>
            server.GuardedAsync(context, Step.Table, () => server.Describe(table)));
        app.MapPost("/v2/storage/tables/{table}/export-async", (HttpContext context, string table) =>
            server.GuardedAsync(context, Step.Export, () => server.Jobs.BeginAsync(context, table)));
        app.MapGet("/v2/storage/jobs", (HttpContext context) => server.GuardedAsync(context, Step.Job, () => server.Jobs.List()));
        app.MapGet("/v2/storage/jobs/{id:long}", (HttpContext context, long id) =>
            server.GuardedAsync(context, Step.Job, () => server.Jobs.Show(id)));
        app.MapGet("/v2/storage/files/{id:long}", (HttpContext context, long id) =>
            server.GuardedAsync(context, Step.File, () => server.Stores.Show(id)));
        app.MapPost("/v2/storage/tables/{table}/columns/{column}/metadata", server.DescribeColumnAsync);
        app.MapFallback("/v2/{**rest}", () => Error(StatusCodes.Status404NotFound, "Route not found.", "notFound"));
        server.Stores.Map(app);
        await app.StartAsync();
        server.Address = app.Urls.First();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync(); // whoever is made to wait
        await _app.DisposeAsync();
        _ending.Dispose();
    }

    internal Trouble? TakeTrouble(Step step) =>
        _troubles.TryGetValue(step, out var queue) && queue.TryDequeue(out var trouble) ? trouble : null;

    internal async Task StallAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _ending.Token);
        await Task.Delay(Timeout.Infinite, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    internal static IResult Error(int status, string message, string code) =>
        Results.Json(new JsonObject
        {
            ["error"] = message,
            ["code"] = code,
            ["exceptionId"] = "exception-emulator",
            ["status"] = "error"
        }, statusCode: status);

    private Task GuardedAsync(HttpContext context, Step step, Func<IResult> answer) =>
        GuardedAsync(context, step, () => Task.FromResult(answer()));

    private async Task GuardedAsync(HttpContext context, Step step, Func<Task<IResult>> answer)
    {
        if (_toldToWait.TryRemove(step, out var told)) Waits.Enqueue((step, told.Asked, Stopwatch.GetElapsedTime(told.At)));
        if (TakeTrouble(step) is not { } trouble)
        {
            await (await answer()).ExecuteAsync(context);
            return;
        }

        if (trouble.Stalls) await StallAsync(context);
        else if (trouble.IsNoJson) await Results.Text("<html>Sign in</html>", "text/html").ExecuteAsync(context);
        else if (trouble.IsEmpty) await Results.Json(new JsonObject()).ExecuteAsync(context);
        else if (trouble.BreaksOff)
        {
            context.Response.ContentLength = 1_000;
            await context.Response.WriteAsync("{\"id\":");
            await context.Response.Body.FlushAsync();
            context.Abort();
        }
        else
        {
            if (trouble.RetryAfterSeconds is { } wait)
            {
                context.Response.Headers.RetryAfter = $"{wait}";
                _toldToWait[step] = (TimeSpan.FromSeconds(wait), Stopwatch.GetTimestamp());
            }

            await Failure(trouble.Status).ExecuteAsync(context);
        }
    }

    private static IResult Failure(int status) => status == StatusCodes.Status503ServiceUnavailable
        ? Results.Json(new JsonObject
        {
            ["status"] = "maintenance",
            ["estimatedEndTime"] = "2026-11-29T23:00:00+0100",
            ["reason"] = "The project is being maintained"
        }, statusCode: status)
        : Error(status, $"As it was asked for, and with the token {Token} in it.", "emulator");

    private async Task AuthorizeAsync(HttpContext context, RequestDelegate next)
    {
        var request = context.Request;
        var hasToken = request.Headers.ContainsKey("X-StorageApi-Token");
        Calls.Enqueue((request.Method, $"{request.Path}{request.QueryString}", hasToken,
            request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.Ordinal)));
        IResult? refused = null;
        if (request.Path.StartsWithSegments("/v2"))
        {
            context.Response.Headers.Date = Now.ToString("R", System.Globalization.CultureInfo.InvariantCulture);
            if (request.Headers["X-StorageApi-Token"] != Token) refused = Error(StatusCodes.Status401Unauthorized,
                "Invalid access token", "storage.tokenInvalid");
            else if (_next.TryDequeue(out var status)) refused = Failure(status);
        }

        if (refused is null) await next(context);
        else await refused.ExecuteAsync(context);
    }

    private IResult ListBuckets() =>
        Results.Json(new JsonArray([.. _tables.Values.Select(table => table.BucketId).Distinct().Order(StringComparer.Ordinal)
        .Select(id => (JsonNode)new JsonObject { ["id"] = id, ["name"] = id[(id.IndexOf('.', StringComparison.Ordinal) + 1)..] })]));

    private IResult ListTables() => Results.Json(new JsonArray(
        [.. _tables.Values.OrderBy(table => table.Id, StringComparer.Ordinal).Select(table => (JsonNode)table.ToJson(isListed: true))]));

    private IResult Describe(string table) => Find(table) is { } known ? Results.Json(known.ToJson(isListed: false)) : NoTable(table);

    internal static IResult NoTable(string table) =>
        Error(StatusCodes.Status404NotFound, $"The table \"{table}\" was not found in the project", "storage.tables.notFound");

    private async Task<IResult> DescribeColumnAsync(HttpContext context, string table, string column)
    {
        if (Find(table) is not { } known) return NoTable(table);
        if (!known.Columns.Contains(column, StringComparer.Ordinal))
            return Error(StatusCodes.Status404NotFound, $"Column \"{column}\" was not found in table \"{table}\"",
                "storage.columns.notFound");
        var body = await JsonNode.ParseAsync(context.Request.Body);
        if ((string?)body?["provider"] is not { Length: > 0 } provider || body["metadata"] is not JsonArray { Count: > 0 } entries)
            return Error(StatusCodes.Status400BadRequest, "Provider and metadata are required", "storage.metadata.validation");
        foreach (var entry in entries)
        {
            Metadata.Enqueue((table, column, provider, (string)entry!["key"]!, (string)entry["value"]!));
            known.Describe(column, (string)entry["key"]!, (string)entry["value"]!, provider);
        }

        return Results.Json(
            new JsonArray([.. entries.Select((entry, index) => (JsonNode)new JsonObject
            {
                ["id"] = $"{index + 1}",
                ["provider"] = provider,
                ["key"] = (string)entry!["key"]!,
                ["value"] = (string)entry["value"]!,
            })]), statusCode: StatusCodes.Status201Created);
    }
}
