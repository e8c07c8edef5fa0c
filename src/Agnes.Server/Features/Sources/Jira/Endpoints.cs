using System.Text.Json.Nodes;
using Agnes.Server.Features.Sources.Webhooks;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What Jira has besides the address that every kind with a receiver has: an older one, and whether it is set up.</summary>
internal static class JiraEndpoints
{
    public static void MapJira(this IEndpointRouteBuilder routes)
    {
        if (routes.ServiceProvider.GetRequiredService<SourceKinds>().All.OfType<JiraKind>().FirstOrDefault() is not { } kind) return;
        routes.MapDeliveries("/api/jira/webhook", kind);
        routes.MapGet("/webhooks/jira/health", (ServerOptions options, SecretStore secrets) => ShowHealth(options, secrets))
            .WithTags("Sources").WithSummary("Whether deliveries of Jira are taken.").Public();
    }

    private static IResult ShowHealth(ServerOptions options, SecretStore secrets)
    {
        var layers = SettingLayers.Open(options, secrets);
        bool Has(string name) => !string.IsNullOrEmpty(layers.Find(name));
        return JsonBody.Of(new JsonObject
        {
            ["status"] = "ok",
            ["configured"] = Has(JiraOptions.DomainName) && Has("JIRA_EMAIL") && Has("JIRA_API_TOKEN"),
            ["webhook_secret_set"] = Has(JiraOptions.SecretName),
            ["jira_domain"] = layers.Find(JiraOptions.DomainName) is { Length: > 0 } domain ? domain : "(not set)",
        });
    }
}
