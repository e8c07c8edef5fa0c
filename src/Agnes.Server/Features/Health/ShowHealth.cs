using System.Text.Json.Serialization;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Health;

/// <summary><c>GET /api/health</c> answers 200 always; <c>/live</c> while the process runs; <c>/ready</c> 503 while it should get no requests.</summary>
internal static class ShowHealth
{
    public static IResult Handle(Checkup checkup)
    {
        var schema = checkup.Schema();
        var answer = new HealthView(schema.IsOk ? "ok" : "unhealthy", schema.Word, schema.Current, schema.Expected, schema.Detail);
        return JsonBody.Of(answer, HealthJson.Default.HealthView);
    }

    public static IResult Live() => JsonBody.Of(new ReadinessView("ok"), HealthJson.Default.ReadinessView);

    public static IResult Ready(Checkup checkup)
    {
        var reason = checkup.NotReadyBecause();
        var (word, status) = reason is null ? ("ready", StatusCodes.Status200OK) : ("not_ready", StatusCodes.Status503ServiceUnavailable);
        return JsonBody.Of(new ReadinessView(word, reason), HealthJson.Default.ReadinessView, status);
    }
}

/// <param name="DbSchema"><c>ok</c> or <c>unreachable</c>.</param>
/// <param name="Detail">Only where something is wrong.</param>
internal sealed record HealthView(
    string Status, string DbSchema, int Current, int Expected,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null);

/// <param name="Detail">Only where it is not.</param>
internal sealed record ReadinessView(
    string Status, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Detail = null);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(HealthView))]
[JsonSerializable(typeof(ReadinessView))]
[JsonSerializable(typeof(VersionView))]
[JsonSerializable(typeof(DetailedHealth))]
internal sealed partial class HealthJson : JsonSerializerContext;
