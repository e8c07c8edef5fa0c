using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync;

/// <summary><c>POST /api/sync/trigger</c>: starts a run over the named tables, or over all that are due.</summary>
internal static class TriggerSync
{
    private const int TablesMax = 10_000;

    public static async Task<IResult> HandleAsync(HttpContext context, JobRunner jobs, SourceKinds kinds)
    {
        var caller = context.Caller();
        var named = await ReadAsync(context);
        var (targets, unknown) = named is null ? (null, []) : Resolve(context.Snapshot(), named);
        if (targets is { Count: 0 } && unknown.Count > 0)
        {
            var invalid = new Invalid();
            invalid.AddValue("body", "tables", $"unknown tables: {string.Join(", ", unknown)}", Array(unknown));
            throw invalid.Exception();
        }

        var ids = targets?.Where(target => target.Id is not null).Select(target => target.Id!).ToList();
        var start = await jobs.StartAsync(
            SyncJob.Request(context.Snapshot(), kinds, "api", caller.Email, ids),
            context.RequestAborted,
            (write, id) => write.Audit(caller.UserId, "sync_trigger", id, new JsonObject { ["tables"] = named is null ? "all" : Array(named) }, "started"));
        return start switch
        {
            JobStart.Started started => JsonBody.Of(Answer(started.Id, named is null ? null : [.. targets!.Select(target => target.Name)], unknown)),
            JobStart.Busy => Problem.Detail(StatusCodes.Status409Conflict, "sync_already_in_progress"),
            _ => Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Too many jobs are waiting; try again later."),
        };
    }

    private static JsonObject Answer(string runId, IReadOnlyList<string>? tables, IReadOnlyList<string> unknown)
    {
        var answer = new JsonObject
        {
            ["status"] = "triggered",
            ["tables"] = tables is null ? JsonValue.Create("all") : Array(tables),
            ["message"] = $"Sync started. Follow it at /api/sync/runs/{runId}.",
            ["run_id"] = runId,
        };
        if (unknown.Count > 0) answer["unknown"] = Array(unknown);
        return answer;
    }

    /// <returns>Null for all: no body, <c>null</c>, <c>[]</c>, or an object with none of them.</returns>
    internal static async Task<List<string>?> ReadAsync(HttpContext context)
    {
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer, context.RequestAborted);
        if (buffer.Length == 0) return null;
        var invalid = new Invalid();
        try
        {
            using var document = JsonDocument.Parse(buffer.GetBuffer().AsMemory(0, (int)buffer.Length));
            var root = document.RootElement;
            var list = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("tables", out var tables) ? tables : root;
            if (list.ValueKind is JsonValueKind.Null || (list.ValueKind is JsonValueKind.Object && root.ValueKind == JsonValueKind.Object && !root.TryGetProperty("tables", out _))) return null;
            if (list.ValueKind == JsonValueKind.Array && list.GetArrayLength() <= TablesMax && list.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String))
                return list.GetArrayLength() == 0 ? null : [.. list.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)];
            invalid.AddValue("body", "tables", "the body is a list of table names or ids, an object with such a list as 'tables', or nothing", null);
        }
        catch (JsonException)
        {
            invalid.Add("json_invalid", ["body", 0], "JSON decode error", null);
        }
        throw invalid.Exception();
    }

    /// <summary>By id or name. A table that only its extract knows has no id: the run publishes it, but nothing pulls it.</summary>
    internal static (List<(string? Id, string Name)> Targets, List<string> Unknown) Resolve(Snapshot snapshot, IReadOnlyList<string> named)
    {
        var targets = new List<(string?, string)>();
        var unknown = new List<string>();
        foreach (var name in named)
        {
            if ((snapshot.Table(name) ?? snapshot.TableByName(name)) is { } row) targets.Add((row.Id, row.Id));
            else if (snapshot.PublishedTable(name) is { } version) targets.Add((null, version.Name));
            else unknown.Add(name);
        }
        return (targets, unknown);
    }

    private static JsonArray Array(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)JsonValue.Create(text))]);
}
