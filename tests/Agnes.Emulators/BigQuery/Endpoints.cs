using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using DuckDB.NET.Data;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Agnes.Emulators.BigQuery;

/// <summary>The documented calls.</summary>
internal sealed class Endpoints(BigQueryServer server, Jobs jobs)
{
    private const string Base = "/bigquery/v2/projects/{project}";

    public static Call CallOf(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        if (path == "/token") return Call.Token;
        if (path.StartsWith("/computeMetadata/", StringComparison.Ordinal)) return Call.Metadata;
        var isPost = HttpMethods.IsPost(request.Method);
        return path.Split('/', StringSplitOptions.RemoveEmptyEntries).Skip(4).ToArray() switch
        {
            ["jobs"] when isPost => Call.JobsInsert,
            ["jobs", _, "cancel"] => Call.JobsCancel,
            ["jobs", _] => Call.JobsGet,
            ["queries"] => Call.JobsQuery,
            ["queries", _] => Call.GetQueryResults,
            ["datasets"] => Call.DatasetsList,
            ["datasets", _] => Call.DatasetsGet,
            ["datasets", _, "tables"] => Call.TablesList,
            ["datasets", _, "tables", _] => Call.TablesGet,
            ["datasets", _, "tables", _, "data"] => Call.TableDataList,
            _ => Call.Any,
        };
    }

    public void Map(WebApplication app)
    {
        app.MapPost($"{Base}/jobs", (HttpContext context, string project) => AnswerAsync(context, body => Insert(project, body)));
        app.MapGet(
            $"{Base}/jobs/{{id}}", (string project, string id, string? location) =>
            Guarded(() => jobs.Find(project, id, location).ToJson()));
        app.MapPost(
            $"{Base}/jobs/{{id}}/cancel", (string project, string id, string? location) =>
            Guarded(() => Cancel(jobs.Find(project, id, location))));
        app.MapPost(
            $"{Base}/queries", (HttpContext context, string project) =>
            AnswerAsync(context, body => QueryAsync(project, body, context.RequestAborted)));
        app.MapGet(
            $"{Base}/queries/{{id}}", (HttpContext context, string project, string id) =>
            AnswerAsync(() => ResultsAsync(context, project, id)));
        app.MapGet($"{Base}/datasets", (HttpContext context, string project) => Guarded(() => Datasets(context, project)));
        app.MapGet($"{Base}/datasets/{{dataset}}", (string project, string dataset) => Guarded(() => Dataset(project, dataset)));
        app.MapGet(
            $"{Base}/datasets/{{dataset}}/tables", (HttpContext context, string project, string dataset) =>
            Guarded(() => Tables(context, project, dataset)));
        app.MapGet(
            $"{Base}/datasets/{{dataset}}/tables/{{table}}", (string project, string dataset, string table) =>
            Guarded(() => Table(project, dataset, table)));
        app.MapGet(
            $"{Base}/datasets/{{dataset}}/tables/{{table}}/data", (HttpContext context, string project, string dataset, string table) =>
            Guarded(() => Rows(context, project, dataset, table)));
        app.MapFallback(() => new BigQueryError(404, "notFound", "The emulator has no such address").ToResult());
    }

    private JsonObject Insert(string project, JsonElement body)
    {
        var configuration = body.GetProperty("configuration");
        if (!configuration.TryGetProperty("query", out var query))
        {
            throw new BigQueryError(400, "required", "Required parameter is missing");
        }
        var isDryRun = configuration.TryGetProperty("dryRun", out var dry) && dry.GetBoolean();
        var reference = body.TryGetProperty("jobReference", out var given) ? given : default;
        var job = jobs.Submit(
            project, Text(reference, "jobId"), Text(reference, "location"), JsonObject.Create(configuration)!, query, isDryRun);
        if (!isDryRun) return job.ToJson();
        return new JsonObject
        {
            ["kind"] = "bigquery#job",
            ["configuration"] = job.Configuration,
            ["jobReference"] = new JsonObject { ["projectId"] = project, ["location"] = job.Location },
            ["statistics"] = job.Statistics(isDryRun: true),
            ["status"] = new JsonObject { ["state"] = "DONE" },
        };
    }

    private static JsonObject Cancel(Job job)
    {
        if (job.State != "DONE") job.Cancel();
        return new JsonObject { ["kind"] = "bigquery#jobCancelResponse", ["job"] = job.ToJson() };
    }

    private async Task<JsonObject> QueryAsync(string project, JsonElement body, CancellationToken stop)
    {
        var isDryRun = body.TryGetProperty("dryRun", out var dry) && dry.GetBoolean();
        var configuration = new JsonObject
        {
            ["jobType"] = "QUERY",
            ["query"] = new JsonObject { ["query"] = Text(body, "query"), ["useLegacySql"] = false }
        };
        if (body.TryGetProperty("labels", out var labels)) configuration["labels"] = JsonObject.Create(labels);
        if (body.TryGetProperty("jobTimeoutMs", out var limit)) configuration["jobTimeoutMs"] = limit.ToString();
        var job = jobs.Submit(project, null, Text(body, "location"), configuration, body, isDryRun);
        if (isDryRun)
        {
            return new JsonObject
            {
                ["kind"] = "bigquery#queryResponse",
                ["schema"] = job.Schema(),
                ["jobReference"] = new JsonObject { ["projectId"] = project, ["location"] = job.Location },
                ["jobComplete"] = true,
                ["totalBytesProcessed"] = job.BytesProcessed.ToString(CultureInfo.InvariantCulture),
            };
        }

        var isInteger = body.TryGetProperty("formatOptions", out var options)
            && options.TryGetProperty("useInt64Timestamp", out var micros) && IsTrue(micros.ToString());
        return await ResultAsync(
            "bigquery#queryResponse", job, 0, Number(Text(body, "maxResults")), Number(Text(body, "timeoutMs")), isInteger, stop);
    }

    private Task<JsonObject> ResultsAsync(HttpContext context, string project, string id)
    {
        var query = context.Request.Query;
        var job = jobs.Find(project, id, query["location"]);
        var start = query["pageToken"] is [{ Length: > 0 } token] ? PageToken.Read(token, id) : Number(query["startIndex"]) ?? 0;
        var isInteger = IsTrue(query["formatOptions.useInt64Timestamp"]);
        return ResultAsync(
            "bigquery#getQueryResultsResponse", job, start, Number(query["maxResults"]), Number(query["timeoutMs"]), isInteger,
            context.RequestAborted);
    }

    private async Task<JsonObject> ResultAsync(
        string kind, Job job, long start, long? count, long? timeoutMs, bool int64Timestamp, CancellationToken stop)
    {
        await job.Done.WaitAsync(TimeSpan.FromMilliseconds(timeoutMs ?? 10_000), stop)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        var answer = new JsonObject { ["kind"] = kind, ["jobReference"] = job.Reference };
        if (job.State != "DONE")
        {
            answer["jobComplete"] = false;
            return answer;
        }

        if (job.Error is not null) throw job.Error;
        var rows = count == 0 ? [] : jobs.Page(job, start, Math.Min(count ?? long.MaxValue, server.PageRowsMax), int64Timestamp);
        answer["etag"] = "\"emulated\"";
        answer["schema"] = job.Schema();
        answer["totalRows"] = job.Rows.ToString(CultureInfo.InvariantCulture);
        if (start + rows.Count < job.Rows) answer["pageToken"] = PageToken.Write(start + rows.Count, job.Id);
        if (rows.Count > 0) answer["rows"] = new JsonArray([.. rows]);
        answer["totalBytesProcessed"] = job.BytesProcessed.ToString(CultureInfo.InvariantCulture);
        answer["jobComplete"] = true;
        answer["cacheHit"] = false;
        return answer;
    }

    private JsonObject Datasets(HttpContext context, string project)
    {
        var all = server.Warehouse.Datasets.Where(entry => entry.Key.Project == project)
            .OrderBy(entry => entry.Key.Dataset, StringComparer.Ordinal).ToList();
        return List(
            context, "bigquery#datasetList", "datasets", project,
            [.. all.Select(entry => DatasetJson(project, entry.Key.Dataset, entry.Value))]);
    }

    private JsonObject Dataset(string project, string dataset)
    {
        var location = server.Warehouse.LocationOf(project, dataset) ?? throw BigQueryError.Missing($"Dataset {project}:{dataset}");
        var json = DatasetJson(project, dataset, location);
        (json["etag"], json["creationTime"], json["lastModifiedTime"]) = ("\"emulated\"", "1767225600000", "1767225600000");
        return json;
    }

    private JsonObject Tables(HttpContext context, string project, string dataset)
    {
        if (server.Warehouse.LocationOf(project, dataset) is null) throw BigQueryError.Missing($"Dataset {project}:{dataset}");
        var all = server.Warehouse.In(project, dataset).Select(table => table.ToListEntry()).ToList();
        var json = List(context, "bigquery#tableList", "tables", dataset, all);
        json["totalItems"] = all.Count;
        return json;
    }

    private JsonObject Table(string project, string dataset, string name)
    {
        var location = server.Warehouse.LocationOf(project, dataset) ?? throw BigQueryError.Missing($"Dataset {project}:{dataset}");
        return Known(project, dataset, name).ToJson(location);
    }

    /// <summary><c>tabledata.list</c>: no job, and nothing is billed.</summary>
    private JsonObject Rows(HttpContext context, string project, string dataset, string name)
    {
        var table = Known(project, dataset, name);
        if (table.Type is "VIEW" or "MATERIALIZED_VIEW" or "EXTERNAL")
            throw new BigQueryError(400, "invalid", $"Cannot list a table of type {table.Type}.");
        var query = context.Request.Query;
        var start = query["pageToken"] is [{ Length: > 0 } token] ? PageToken.Read(token, table.Id) : Number(query["startIndex"]) ?? 0;
        var count = Math.Min(Number(query["maxResults"]) ?? long.MaxValue, server.PageRowsMax);
        var (rows, isLast) = server.Warehouse.Page(table, start, count, IsTrue(query["formatOptions.useInt64Timestamp"]));
        var json = new JsonObject
        {
            ["kind"] = "bigquery#tableDataList",
            ["etag"] = "\"emulated\"",
            ["totalRows"] = table.Rows.ToString(CultureInfo.InvariantCulture),
        };
        if (!isLast) json["pageToken"] = PageToken.Write(start + rows.Count, table.Id);
        if (rows.Count > 0) json["rows"] = new JsonArray([.. rows]);
        return json;
    }

    private Table Known(string project, string dataset, string name) =>
        server.Warehouse.Find(project, dataset, name) ?? throw BigQueryError.Missing($"Table {project}:{dataset}.{name}");

    private static JsonObject DatasetJson(string project, string dataset, string location) => new()
    {
        ["kind"] = "bigquery#dataset",
        ["id"] = $"{project}:{dataset}",
        ["datasetReference"] = new JsonObject { ["datasetId"] = dataset, ["projectId"] = project },
        ["location"] = location,
    };

    private JsonObject List(HttpContext context, string kind, string name, string scope, List<JsonObject> all)
    {
        var query = context.Request.Query;
        var start = (int)(query["pageToken"] is [{ Length: > 0 } token] ? PageToken.Read(token, scope) : 0);
        var page = all.Skip(start).Take((int)Math.Min(Number(query["maxResults"]) ?? 50, server.PageRowsMax)).ToList();
        var json = new JsonObject { ["kind"] = kind, ["etag"] = "\"emulated\"" };
        if (page.Count > 0) json[name] = new JsonArray([.. page]);
        if (start + page.Count < all.Count) json["nextPageToken"] = PageToken.Write(start + page.Count, scope);
        return json;
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, Func<JsonElement, Task<JsonObject>> answer)
    {
        using var body = await JsonDocument.ParseAsync(context.Request.Body);
        var root = body.RootElement.Clone(); // a job keeps parts of it
        return await AnswerAsync(() => answer(root));
    }

    private static Task<IResult> AnswerAsync(HttpContext context, Func<JsonElement, JsonObject> answer) =>
        AnswerAsync(context, body => Task.FromResult(answer(body)));

    private static async Task<IResult> AnswerAsync(Func<Task<JsonObject>> answer)
    {
        try
        {
            return Results.Json(await answer());
        }
        catch (BigQueryError error)
        {
            return error.ToResult();
        }
        catch (DuckDBException failure)
        {
            return Jobs.EngineError(failure).ToResult();
        }
    }

    private static Task<IResult> Guarded(Func<JsonObject> answer) => AnswerAsync(() => Task.FromResult(answer()));

    private static string? Text(JsonElement body, string name) =>
        body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null
            ? value.ToString() : null;

    private static long? Number(string? text) => text is { Length: > 0 } ? long.Parse(text, CultureInfo.InvariantCulture) : null;

    private static bool IsTrue(string? text) => string.Equals(text, "true", StringComparison.OrdinalIgnoreCase);
}
