using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary><c>GET /api/admin/jira/status</c>: what is set up, what came, what waits, and what the last jobs did.</summary>
internal static class ShowJiraStatus
{
    private const int JobsMax = 5;

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, JiraSettings settings, JiraAnswers answers, JiraFetches fetches, JiraTally tally,
            ServerOptions options, SecretStore secrets)
    {
        var layers = SettingLayers.Open(options, secrets);
        var jobs = new JsonArray();
        foreach (var kind in JiraServices.JobKinds)
        {
            var newest = await state.ReadAsync<JobRow>(JobSql.Newest, new { kind, limit = JobsMax }, context.RequestAborted);
            foreach (var job in newest) jobs.Add(Of(job));
        }

        return JsonBody.Of(new JsonObject
        {
            ["webhook_secret_set"] = layers.Find(JiraOptions.SecretName) is { Length: > 0 },
            ["domain"] = layers.Find(JiraOptions.DomainName),
            ["api_configured"] = settings.Site is not null,
            ["sla_configured"] = settings.Levels is not null,
            ["deliveries"] = Of(tally),
            ["events"] = Of(answers),
            ["fetches"] = Of(fetches),
            ["jobs"] = jobs,
        });
    }

    private static JsonObject Of(JiraTally tally) => new()
    {
        ["taken"] = tally.Taken,
        ["last_at"] = tally.Last?.At.ToString("O"),
        ["last_lag_ms"] = (long?)tally.Last?.Lag?.TotalMilliseconds,
        ["rejected"] = new JsonObject(tally.Rejected.OrderBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
    };

    /// <summary>Null: this process takes none.</summary>
    private static JsonObject? Of(JiraAnswers answers) => answers.Intake is not { } intake ? null : new JsonObject
    {
        ["applied"] = intake.Counts.Applied,
        ["known"] = intake.Counts.Known,
        ["unknown"] = intake.Counts.Unknown,
        ["broken"] = intake.Counts.Broken,
        ["waiting_bytes"] = intake.Waiting,
    };

    private static JsonObject Of(JiraFetches fetches) => new()
    {
        ["waiting"] = fetches.Counts.Waiting,
        ["fetched"] = fetches.Counts.Fetched,
        ["missing"] = fetches.Counts.Missing,
        ["last_at"] = fetches.Counts.LastAt?.ToString("O"),
        ["last_error"] = fetches.Counts.LastError,
        ["failed"] = new JsonArray([.. fetches.Failed.Select(one =>
            (JsonNode)new JsonObject { ["key"] = one.Key, ["why"] = one.Why, ["at"] = one.At.ToString("O") })]),
    };

    private static JsonObject Of(JobRow job) => new()
    {
        ["run_id"] = job.Id,
        ["kind"] = job.Kind,
        ["subject"] = job.Subject,
        ["trigger"] = job.Trigger,
        ["status"] = job.Status,
        ["created_at"] = Timestamps.Naive(job.CreatedAt),
        ["finished_at"] = job.FinishedAt is { } end ? Timestamps.Naive(end) : null,
        ["attempts"] = job.Attempts,
        ["error"] = job.Error,
        ["result"] = job.Result is { } result ? JsonNode.Parse(result) : null,
        ["checkpoint"] = job.FinishedAt is null && job.Checkpoint is { } checkpoint ? JsonNode.Parse(checkpoint) : null,
    };
}

/// <summary>For the description, as are the records below: written by <see cref="ShowJiraStatus"/>.</summary>
/// <param name="Events">Null: this process takes none.</param>
internal sealed record JiraStatusAnswer(
    bool WebhookSecretSet, string? Domain, bool ApiConfigured, bool SlaConfigured, JiraDeliveriesAnswer Deliveries,
    JiraEventsAnswer? Events,
    JiraFetchesAnswer Fetches, IReadOnlyList<JiraJobAnswer> Jobs);

/// <param name="Rejected">How many, by reason.</param>
internal sealed record JiraDeliveriesAnswer(long Taken, string? LastAt, long? LastLagMs, IReadOnlyDictionary<string, long> Rejected);

internal sealed record JiraEventsAnswer(long Applied, long Known, long Unknown, long Broken, long WaitingBytes);

internal sealed record JiraFetchesAnswer(
    long Waiting, long Fetched, long Missing, string? LastAt, string? LastError, IReadOnlyList<JiraFailedFetchAnswer> Failed);

internal sealed record JiraFailedFetchAnswer(string Key, string Why, string At);

internal sealed record JiraJobAnswer(
    string RunId, string Kind, string? Subject, string Trigger, string Status, string CreatedAt, string? FinishedAt, int Attempts,
    string? Error,
    JsonNode? Result, JsonNode? Checkpoint);
