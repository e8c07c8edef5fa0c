using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Health;

/// <summary><c>GET /api/health</c> answers 200 always; <c>/live</c> while the process runs; <c>/ready</c> 503 while it should get no requests.</summary>
internal static class ShowHealth
{
    public static IResult Handle(Checkup checkup)
    {
        var schema = checkup.Schema();
        var answer = new JsonObject { ["status"] = schema.IsOk ? "ok" : "unhealthy", ["db_schema"] = schema.Word, ["current"] = schema.Current, ["expected"] = schema.Expected };
        if (schema.Detail is { } detail) answer["detail"] = detail;
        return JsonBody.Of(answer);
    }

    public static IResult Live() => JsonBody.Of(new JsonObject { ["status"] = "ok" });

    public static IResult Ready(Checkup checkup)
    {
        var reason = checkup.NotReadyBecause();
        return reason is null
            ? JsonBody.Of(new JsonObject { ["status"] = "ready" })
            : JsonBody.Of(new JsonObject { ["status"] = "not_ready", ["detail"] = reason }, StatusCodes.Status503ServiceUnavailable);
    }
}
