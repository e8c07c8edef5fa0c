using System.Text.Json.Serialization;
using Agnes.Engine.Query;
using Agnes.Protocol;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Query;

/// <summary><c>POST /api/query/explain</c>: where a statement would run, what it would cost there and which limit it would meet. Nothing is run.</summary>
internal static class ExplainQuery
{
    public static async Task<IResult> HandleAsync(HttpContext context, Scopes scopes, StatementRunner runner, RemoteQuota quota, ServerOptions options)
    {
        var body = await RequestBody.ReadAsync(context);
        var sql = body.String("sql");
        body.ThrowIfInvalid();
        var (snapshot, limits) = (context.Snapshot(), StatementLimits.Default with { Time = options.QueryTimeLimit });
        var scope = scopes.Of(snapshot, context.Caller());
        var found = await runner.ExplainAsync(context.Lease(), scope, sql, QueryRequest.LimitDefault, limits, context.RequestAborted);
        if (found.Failure is { } failure) return StatementAnswer.Refuse(context, failure);
        var answer = new ExplainedQuery(
            PathOf(found.Path),
            [.. found.Steps.Select(step => Step(step, snapshot))],
            new ExplainedLimits(limits.Time.TotalSeconds, limits.ResultBytes, QueryRequest.LimitMax))
        {
            LeftToday = found.Steps.Any(step => step.System is not null) ? await quota.LeftAsync(context.Caller().UserId, context.RequestAborted) : null,
        };
        return JsonBody.Of(answer, ExplainJson.Default.ExplainedQuery);
    }

    private static string PathOf(StatementPath path) => path switch
    {
        StatementPath.PushDown => "push_down",
        StatementPath.Mixed => "mixed",
        _ => "local",
    };

    private static ExplainedPart Step(ExplainedStep step, Snapshot snapshot)
    {
        var published = step.System is null ? step.Tables.Select(table => snapshot.PublishedTable(table.Name)).OfType<PublishedVersion>().ToList() : null;
        return new ExplainedPart(
            step.System ?? "server",
            [.. step.Tables.Select(table => table.Name)],
            published?.Sum(version => version.Bytes) ?? step.Estimate?.ScanBytes,
            published?.Sum(version => version.Rows) ?? step.Estimate?.Rows,
            step.ScanBytesMax,
            step.Fault is null,
            step.Fault)
        {
            Columns = step.Columns,
            Where = step.Where,
        };
    }
}

/// <param name="Path"><c>local</c>: on the server; <c>push_down</c>: one source answers all of it; <c>mixed</c>: tables are fetched and joined on the server.</param>
internal sealed record ExplainedQuery(string Path, IReadOnlyList<ExplainedPart> Steps, ExplainedLimits Limits)
{
    /// <summary>What the asker may still have of tables at their sources until midnight (UTC); null: the statement asks none.</summary>
    public QuotaLeft? LeftToday { get; init; }
}

/// <param name="RunsAt"><c>server</c>, or the connection that is asked.</param>
/// <param name="Bytes">That would be read there; null: it does not say.</param>
/// <param name="Rows">Of the answer at a source, of the tables on the server; null: it does not say.</param>
/// <param name="BytesMax">More is refused; null: there is no such limit.</param>
internal sealed record ExplainedPart(
    string RunsAt, IReadOnlyList<string> Tables, long? Bytes, long? Rows, long? BytesMax, bool Fits, string? Problem)
{
    /// <summary>What is fetched of a table at a source for a mixed statement; null: all columns.</summary>
    public IReadOnlyList<string>? Columns { get; init; }

    /// <summary>Which rows are fetched of it; null: all.</summary>
    public string? Where { get; init; }
}

internal sealed record ExplainedLimits(double Seconds, long ResultBytes, int Rows);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ExplainedQuery))]
internal sealed partial class ExplainJson : JsonSerializerContext;
