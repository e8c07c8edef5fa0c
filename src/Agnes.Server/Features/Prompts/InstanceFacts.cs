using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Prompts;

/// <summary>What the instance says of itself in texts for people and agents: from <c>instance.yaml</c> and its overlay, read at the start.</summary>
internal sealed record InstanceFacts(string Name, string Subtitle, string SyncInterval, string DataSourceType)
{
    public static InstanceFacts Of(InstanceConfig config, Func<string, string?> environment) => new(
        config.Text("instance.name") ?? "AI Data Analyst",
        config.Text("instance.subtitle") ?? "",
        config.Text("instance.sync_interval") ?? "1 hour",
        environment("DATA_SOURCE") is { Length: > 0 } source ? source : config.Text("data_source.type") ?? "local");
}
