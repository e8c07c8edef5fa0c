using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Engine.Limits;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.BigQuery;

/// <summary>
/// <c>POST /api/admin/bigquery/test-connection</c>: whether a statement can be run. It reads no table and costs nothing; one that is late
/// is ended at BigQuery too.
/// </summary>
internal static class TestConnection
{
    private const string Statement = "SELECT 1 AS ok";
    private const long AnswerBytesMax = 1L << 20;
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    public static async Task<IResult> HandleAsync(
        HttpContext context, AskedSources sources, SourceKinds kinds, Scratch scratch, TimeProvider time, string? connection)
    {
        var kind = kinds.All.OfType<BigQueryKind>().Single();
        if (sources.Find(kind, connection ?? kind.Name) is not { } found)
            return Problem.NotFound($"There is no connection '{connection}' of BigQuery: agnes admin connection list");
        var started = time.GetTimestamp();
        using var deadline = new CancellationTokenSource(TimeMax, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.RequestAborted);
        using var folder = scratch.NewFolder("test-connection");
        var question = new RemoteQuestion(Statement, [], 1, AnswerBytesMax) { OnceAs = $"agnes_{Guid.NewGuid():N}" };
        try
        {
            await found.System.AnswerAsync(question, Path.Combine(folder.Path, "answer"), stop.Token);
        }
        catch (RemoteException failure)
        {
            return Failed(failure);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            return Problem.Detail(StatusCodes.Status504GatewayTimeout, new JsonObject
            {
                ["kind"] = "timeout",
                ["message"] = $"BigQuery did not answer within {TimeMax.TotalSeconds:0} seconds.",
                ["elapsed_ms"] = (long)TimeMax.TotalMilliseconds,
                ["hint"] = "Look whether this machine reaches the service, and whether the billing project has free slots.",
            });
        }

        var project = found.Settings.GetValueOrDefault("project");
        var tested = new TestedConnection(
            true, found.Settings.GetValueOrDefault("billing_project") ?? project, project,
            (long)time.GetElapsedTime(started).TotalMilliseconds);
        return JsonBody.Of(tested, BigQueryJson.Default.TestedConnection);
    }

    private static IResult Failed(RemoteException failure)
    {
        var said = failure.Failure
            ?? new RemoteFailure("bq_upstream_error", StatusCodes.Status502BadGateway, new Dictionary<string, string>());
        var detail = new JsonObject { ["kind"] = said.Kind, ["message"] = failure.Message };
        foreach (var (name, value) in said.Details) detail[name] = value;
        return Problem.Detail(
            said.Kind == "not_configured" ? StatusCodes.Status400BadRequest : StatusCodes.Status502BadGateway, detail);
    }
}

internal sealed record TestedConnection(bool Ok, string? BillingProject, string? DataProject, long ElapsedMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(TestedConnection))]
internal sealed partial class BigQueryJson : JsonSerializerContext;
