using System.Text.Json.Nodes;
using Agnes.Connectors.Jira;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary><c>POST /api/admin/jira/backfill</c>, <c>…/sla-poll</c> and <c>…/consistency</c>: each starts a job.</summary>
internal static class StartJiraJob
{
    private const int JqlCharactersMax = 2_000;
    private const string ByApi = "api";

    public static async Task<IResult> BackfillAsync(HttpContext context, JobRunner jobs, JiraSettings settings)
    {
        var body = await RequestBody.ReadOptionalAsync(context);
        var jql = body.OptionalString("jql") ?? "";
        var keys = body.Strings("issue_keys");
        var input = new BackfillInput(
            jql, keys, body.Boolean("skip_existing", absent: true), body.Boolean("remote_links", absent: false),
                body.Boolean("dry_run", absent: false));
        if (jql.Length > JqlCharactersMax) body.Refuse("jql", $"jql may have {JqlCharactersMax} characters");
        if (keys.Count > BackfillJob.KeysMax || !keys.All(JiraKey.IsKey)) body.Refuse("issue_keys",
            $"issue_keys must be at most {BackfillJob.KeysMax} keys such as SUP-1");
        body.ThrowIfInvalid();
        return await StartAsync(context, jobs, settings.Site, BackfillJob.Request(input, ByApi, context.Caller().Email));
    }

    public static async Task<IResult> SlaPollAsync(HttpContext context, JobRunner jobs, JiraSettings settings)
    {
        var body = await RequestBody.ReadOptionalAsync(context);
        var request = SlaPollJob.Request(body.Boolean("missing", absent: false), body.Boolean("dry_run", absent: false), ByApi,
            context.Caller().Email);
        body.ThrowIfInvalid();
        return await StartAsync(context, jobs, settings.Levels, request, SlaPollJob.HowToSetUp);
    }

    public static async Task<IResult> ConsistencyAsync(HttpContext context, JobRunner jobs, JiraSettings settings)
    {
        var body = await RequestBody.ReadOptionalAsync(context);
        var days = body.OptionalInteger("max_age_days") ?? ConsistencyJob.DaysDefault;
        if (days is < 1 or > ConsistencyJob.DaysMax) body.Refuse("max_age_days",
            $"max_age_days must be from 1 to {ConsistencyJob.DaysMax}");
        var request = ConsistencyJob.Request(days, body.Boolean("auto_fix", absent: true), body.Boolean("dry_run", absent: false), ByApi,
            context.Caller().Email);
        body.ThrowIfInvalid();
        return await StartAsync(context, jobs, settings.Site, request);
    }

    private static async Task<IResult> StartAsync(HttpContext context, JobRunner jobs, JiraApi? api, JobRequest request,
        string howToSetUp = JiraAnswers.HowToSetUp)
    {
        if (api is null) return Problem.Detail(StatusCodes.Status409Conflict, $"{howToSetUp}.");
        var caller = context.Caller();
        var start = await jobs.StartAsync(
            request, context.RequestAborted,
            (write, id) => write.Audit(caller.UserId, $"{request.Kind.Replace('-', '.')}.started", id,
                JsonNode.Parse(request.Input ?? "{}")!.AsObject(), "started"));
        return start switch
        {
            JobStart.Started started => JsonBody.Of(new StartedJiraJob("started", started.Id), JiraViewsJson.Default.StartedJiraJob),
            JobStart.Busy busy => Problem.Detail(StatusCodes.Status409Conflict,
                $"One is going on already: {busy.Id}. See agnes admin jira status."),
            _ => Problem.Detail(StatusCodes.Status503ServiceUnavailable, "Too many jobs are waiting; try again later."),
        };
    }
}

internal sealed record StartedJiraJob(string Status, string RunId);
