using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Health;

/// <summary><c>GET /api/version</c>: which build this is, and since when it runs.</summary>
internal static class ShowVersion
{
    public static IResult Handle(Checkup checkup) => JsonBody.Of(Describe(checkup), HealthJson.Default.VersionView);

    public static VersionView Describe(Checkup checkup) => new(
        Conventions.ProductVersion,
        Setting("RELEASE_CHANNEL", "dev"),
        Setting("AGNES_TAG", "unknown"),
        Setting("AGNES_COMMIT_SHA", "unknown"),
        Migrations.All.Count,
        Timestamps.Offset(checkup.StartedAt));

    internal static readonly SettingGroup Settings = new(
        "What `/api/version` tells of the build; images set it",
        new(null, "AGNES_VERSION")
        {
            Otherwise = "`unknown`",
            Means = "The version of the command line's archives, where they have none of their own.",
        },
        new(null, "AGNES_TAG") { Otherwise = "`unknown`", Means = "The image's tag." },
        new(null, "AGNES_COMMIT_SHA") { Otherwise = "`unknown`", Means = "What it was built from." },
        new(null, "RELEASE_CHANNEL") { Otherwise = "`dev`", Means = "Whether it is a release." });

    private static string Setting(string name, string absent) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : absent;
}

/// <param name="DeployedAt">Since when it runs.</param>
internal sealed record VersionView(string Version, string Channel, string ImageTag, string CommitSha, int SchemaVersion, string DeployedAt);
