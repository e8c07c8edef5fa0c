using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.Keboola;

/// <summary>One export, as it was asked for.</summary>
/// <param name="Body">In the form of JSON, whichever way it came.</param>
public sealed record ExportJob(long Id, string Table, JsonObject Body, string? RunId, DateTimeOffset Created)
{
    private int _polls;

    internal long? FileId { get; set; }

    internal long Rows { get; set; }

    public int Polls => Volatile.Read(ref _polls);

    internal int Poll() => Interlocked.Increment(ref _polls);
}

/// <summary>Exports: each waits, is processed, and ends, one step at a time as it is asked for.</summary>
public sealed partial class ExportJobs(KeboolaServer server)
{
    private readonly ConcurrentDictionary<long, ExportJob> _jobs = new();
    private readonly ConcurrentQueue<string> _failures = new();
    private long _last = 1000;

    /// <summary>Oldest first.</summary>
    public IReadOnlyList<ExportJob> All => [.. _jobs.Values.OrderBy(job => job.Id)];

    /// <summary>What jobs say one after the other when they are asked; the last stays.</summary>
    public IReadOnlyList<string> Statuses { get; set; } = ["waiting", "processing", "success"];

    /// <summary>Whether a job that has ended well says how many rows it exported.</summary>
    public bool SaysRows { get; set; } = true;

    /// <summary>The next export fails, with this message.</summary>
    public void FailNext(string message) => _failures.Enqueue(message);

    /// <summary>What was done while the answer to an export was on its way.</summary>
    public Action<ExportJob>? WhenBegun { get; set; }

    internal async Task<IResult> BeginAsync(HttpContext context, string table)
    {
        if (server.Find(table) is not { } known) return KeboolaServer.NoTable(table);
        var body = context.Request.HasFormContentType
            ? Indexed(await context.Request.ReadFormAsync()) : await JsonNode.ParseAsync(context.Request.Body) as JsonObject;
        if (body is null) return Refused("The body is not an object");
        if (body["whereFilters"] is not null and not JsonArray) return Refused("Parameter 'whereFilters' must be an array");
        var columns = (string?)body["columns"] is { Length: > 0 } list ? list.Split(',') : [.. known.Columns];
        if (columns.FirstOrDefault(column =>
            !known.Columns.Contains(column, StringComparer.Ordinal)) is { } unknown) return Refused(
            $"Column \"{unknown}\" was not found");
        var filters = (body["whereFilters"] as JsonArray ?? []).Select(filter => new ExportFilter(
            (string?)filter!["column"] ?? "", (string?)filter["operator"]
                ?? "eq", [.. filter["values"]!.AsArray().Select(value => value!.ToString())])).ToList();
        if (filters.Find(filter => !known.Columns.Contains(filter.Column, StringComparer.Ordinal)) is { } wrong) return Refused(
            $"Column \"{wrong.Column}\" was not found");
        var asked = new ExportRequest(
            columns, filters, ExportRequest.TimeOf(body["changedSince"]?.ToString()),
                ExportRequest.TimeOf(body["changedUntil"]?.ToString()),
            body["limit"] is { } limit ? long.Parse(limit.ToString(), CultureInfo.InvariantCulture) : null,
                (string?)body["fileType"] == "parquet");
        return Begin(context, known, asked, body);
    }

    internal IResult Show(long id)
    {
        if (!_jobs.TryGetValue(id, out var job)) return KeboolaServer.Error(StatusCodes.Status404NotFound, $"Job {id} not found",
            "storage.jobs.notFound");
        return Results.Json(Json(job, job.Poll()));
    }

    internal IResult List() => Results.Json(new JsonArray([.. All.Reverse().Take(100).Select(job => (JsonNode)Json(job, job.Polls))]));

    private IResult Begin(HttpContext context, ProjectTable table, ExportRequest asked, JsonObject body)
    {
        var created = server.Now;
        var job = new ExportJob(Interlocked.Increment(ref _last), table.Id, body,
            context.Request.Headers["X-KBC-RunId"].ToString() is { Length: > 0 } run ? run : null, created);
        var rows = table.Select(asked);
        (job.FileId, job.Rows) = (server.Stores.Put(asked, rows, server.Form), rows.Count);
        _jobs[job.Id] = job;
        WhenBegun?.Invoke(job);
        return Results.Json(Json(job, 0), statusCode: StatusCodes.Status202Accepted);
    }

    private JsonObject Json(ExportJob job, int polls)
    {
        var status = polls == 0 ? "waiting" : Statuses[Math.Min(polls, Statuses.Count) - 1];
        if (status == "success" && _failures.TryDequeue(out var message)) _failed[job.Id] = message;
        var failure = _failed.GetValueOrDefault(job.Id);
        if (failure is not null && polls > 0) status = "error";
        var json = new JsonObject
        {
            ["id"] = job.Id,
            ["status"] = status,
            ["url"] = $"{server.Address}/v2/storage/jobs/{job.Id}",
            ["tableId"] = job.Table,
            ["operationName"] = "tableExport",
            ["operationParams"] = new JsonObject { ["export"] = job.Body.DeepClone() },
            ["createdTime"] = job.Created.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture),
            ["startTime"] = null,
            ["endTime"] = null,
            ["runId"] = job.RunId,
            ["results"] = null,
        };
        if (status == "success")
        {
            var results = new JsonObject { ["file"] = new JsonObject { ["id"] = job.FileId }, ["cacheHit"] = false };
            if (SaysRows) results["rowsCount"] = job.Rows;
            json["results"] = results;
        }

        if (status == "error") json["error"] = new JsonObject
        {
            ["code"] = "storage.jobs.error",
            ["message"] = failure,
            ["exceptionId"] = "exception-emulator"
        };
        return json;
    }

    private readonly ConcurrentDictionary<long, string> _failed = new();

    private static IResult Refused(string why) => KeboolaServer.Error(StatusCodes.Status400BadRequest, why, "storage.tables.validation");

    /// <summary>The older way: <c>whereFilters[0][values][0]=…</c>.</summary>
    private static JsonObject Indexed(IFormCollection form)
    {
        var body = new JsonObject();
        foreach (var (name, values) in form)
        {
            var match = Nested().Match(name);
            if (!match.Success)
            {
                body[name] = values.ToString();
                continue;
            }

            var filters = body["whereFilters"] as JsonArray;
            if (filters is null) body["whereFilters"] = filters = [];
            var index = int.Parse(match.Groups["index"].ValueSpan, CultureInfo.InvariantCulture);
            while (filters.Count <= index) filters.Add((JsonNode)new JsonObject { ["values"] = new JsonArray() });
            var filter = filters[index]!.AsObject();
            if (match.Groups["field"].Value == "values") filter["values"]!.AsArray().Add((JsonNode)values.ToString());
            else filter[match.Groups["field"].Value] = values.ToString();
        }

        return body;
    }

    [GeneratedRegex(@"\AwhereFilters\[(?<index>[0-9]+)\]\[(?<field>column|operator|values)\](?:\[[0-9]*\])?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex Nested();
}
