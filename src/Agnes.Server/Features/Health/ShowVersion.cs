using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Health;

/// <summary><c>GET /api/version</c>: which build this is, and since when it runs.</summary>
internal static class ShowVersion
{
    public static IResult Handle(Checkup checkup) => JsonBody.Of(Describe(checkup));

    public static JsonObject Describe(Checkup checkup) => new()
    {
        ["version"] = Conventions.ProductVersion,
        ["channel"] = Setting("RELEASE_CHANNEL", "dev"),
        ["image_tag"] = Setting("AGNES_TAG", "unknown"),
        ["commit_sha"] = Setting("AGNES_COMMIT_SHA", "unknown"),
        ["schema_version"] = Migrations.All.Count,
        ["deployed_at"] = Timestamps.Offset(checkup.StartedAt),
    };

    private static string Setting(string name, string absent) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : absent;
}
