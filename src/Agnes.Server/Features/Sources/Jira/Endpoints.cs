using System.Text.Json.Serialization;
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
            .Produces<JiraHealth>()
            .WithTags("Sources").WithSummary("Whether deliveries of Jira are taken.").Public();
        routes.MapGet("/api/attachments/jira/{key}/{id}", DownloadAttachment.Handle)
            .Produces<Stream>(contentType: DownloadAttachment.ContentType)
            .WithTags("data").WithSummary("A file of an issue, for whoever may read the table of attachments.").SignedIn();
        var admin = routes.MapGroup("/api/admin/jira").WithTags("Sources").Admin();
        admin.MapGet("/status", ShowJiraStatus.HandleAsync).Produces<JiraStatusAnswer>()
            .WithSummary("What is set up for Jira, what came, what waits, and what the last jobs did.");
        admin.MapPost("/backfill", StartJiraJob.BackfillAsync).Produces<StartedJiraJob>()
            .WithSummary("Fetch the issues of a query (jql), named ones (issue_keys), or known ones without their links (remote_links).");
        admin.MapPost("/sla-poll", StartJiraJob.SlaPollAsync).Produces<StartedJiraJob>()
            .WithSummary("Ask for the times of service of open issues, or of those without any (missing).");
        admin.MapPost("/consistency", StartJiraJob.ConsistencyAsync).Produces<StartedJiraJob>()
            .WithSummary("Compare issues of the last days (max_age_days) with Jira, and fetch what is missing (auto_fix).");
    }

    private static IResult ShowHealth(ServerOptions options, SecretStore secrets)
    {
        var layers = SettingLayers.Open(options, secrets);
        bool Has(string name) => !string.IsNullOrEmpty(layers.Find(name));
        var health = new JiraHealth(
            "ok",
            Has(JiraOptions.DomainName) && Has(JiraOptions.EmailName) && Has(JiraOptions.TokenName),
            Has(JiraOptions.SecretName),
            layers.Find(JiraOptions.DomainName) is { Length: > 0 } domain ? domain : "(not set)");
        return JsonBody.Of(health, JiraViewsJson.Default.JiraHealth);
    }
}

internal sealed record JiraHealth(string Status, bool Configured, bool WebhookSecretSet, string JiraDomain);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(JiraHealth))]
[JsonSerializable(typeof(StartedJiraJob))]
internal sealed partial class JiraViewsJson : JsonSerializerContext;
