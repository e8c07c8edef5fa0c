using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>
/// Asks for the times of service of open issues, which go on without any event, with the account that sees them. What was resolved
/// meanwhile and not heard of is said with it.
/// </summary>
internal sealed class SlaPollJob(JiraSettings settings, JiraAnswers answers, IssueRows issues, TimeProvider time) : IJobHandler
{
    public const string KindName = "jira-sla-poll";
    public const string HowToSetUp =
        "Times of service are not set up on this server: set JIRA_CLOUD_ID, JIRA_SLA_EMAIL and JIRA_SLA_API_TOKEN";
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(15);
    private const string Open = "status_category <> 'Done' "
        + "AND (first_response_elapsed_millis IS NOT NULL OR time_to_resolution_elapsed_millis IS NOT NULL)";
    private const string Unknown = "first_response_elapsed_millis IS NULL AND time_to_resolution_elapsed_millis IS NULL";
    private const string Step = "issues";
    private const string Done = "Done";
    private const int AtOnceMax = 2;
    private const int BatchMax = 100;

    public string Kind => KindName;

    public Lane Lane => Lane.Network;

    /// <param name="isOfUnknown">Those issues of which no time of service is known, done ones too; else those that are open and have
    /// some.</param>
    public static JobRequest Request(bool isOfUnknown, bool isDryRun, string trigger, string? by) => new(
        KindName, null, KindName, trigger, by, new JsonObject { ["missing"] = isOfUnknown, ["dry_run"] = isDryRun }.ToJsonString());

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var api = settings.Levels ?? throw new JiraException(JiraFault.SignIn, $"{HowToSetUp}.");
        answers.Begin();
        var input = JsonNode.Parse(job.Job.Input ?? "{}") as JsonObject ?? [];
        var run = new SlaRun(job.Checkpoint);
        var keys = await issues.KeysAsync((bool?)input["missing"] == true ? Unknown : Open, cancellation);
        await job.TableStartedAsync(Step, cancellation);
        run.Found = keys.Count;
        if ((bool?)input["dry_run"] != true)
        {
            foreach (var batch in keys.SkipWhile(key => string.CompareOrdinal(key, run.After) <= 0).Chunk(BatchMax))
            {
                await answers.LeaveRoomAsync(time, cancellation);
                await Parallel.ForEachAsync(
                    batch, new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = cancellation },
                    async (key, stop) => await AskAsync(job, api, run, key, stop));
                run.After = batch[^1];
                await job.SaveCheckpointAsync(run.Write(), cancellation);
                job.TableProgress(Step, run.Asked, null, $"of {keys.Count}");
            }
        }

        await job.TableDoneAsync(Step, run.Failed == 0 ? "ok" : "failed", run.Asked, null, cancellation);
        return run.End("asked for");
    }

    private async Task AskAsync(JobContext job, JiraApi api, SlaRun run, string key, CancellationToken stop)
    {
        try
        {
            var fields = settings.Fields;
            string[] levels = [fields["first_response"], fields["time_to_resolution"]];
            var issue = await api.FieldsAsync(key, [.. levels, "status", "resolution", "resolutiondate", "updated"], stop);
            var said = (JsonObject)issue.Json["fields"]!;
            var isDone = said["status"] is JsonObject status && status["statusCategory"] is JsonObject category
                && category["name"]?.ToString() == Done;
            var isAnyKnown = levels.Any(level => JiraFields.IsSlaValue(said[level]));
            if (!isAnyKnown && !isDone)
            {
                run.Skip();
                return;
            }

            foreach (var name in said.Select(field => field.Key).ToList())
            {
                if (levels.Contains(name) ? !JiraFields.IsSlaValue(said[name]) : said[name] is null && name != "status") said.Remove(name);
            }

            await answers.AppendAsync(issue, null, stop);
            run.Say(isDone);
        }
        catch (JiraException missing) when (missing.Fault == JiraFault.Missing)
        {
            run.Miss(); // deleted or hidden: the check of consistency says so
        }
        catch (JiraException fault) when (fault is not { Fault: JiraFault.SignIn } and not { IsForNow: true, IsOfSite: true })
        {
            await run.FailAsync(job, key, fault.Message, stop);
        }
        catch (JournalFullException)
        {
            await run.FailAsync(job, key, "the journal has no room.", stop);
        }
    }

    private sealed class SlaRun : IssueRun
    {
        private long _updated;
        private long _healed;
        private long _skipped;

        public SlaRun(string? checkpoint)
        {
            if (Take(checkpoint) is not { } saved) return;
            (_updated, _healed, _skipped) = ((long?)saved["updated"] ?? 0, (long?)saved["healed"] ?? 0, (long?)saved["skipped"] ?? 0);
        }

        public long Found { get; set; }

        public long Asked => Interlocked.Read(ref _updated) + Interlocked.Read(ref _healed);

        /// <summary>It has no time of service, and goes on.</summary>
        public void Skip() => Interlocked.Increment(ref _skipped);

        public void Say(bool isDone) => Interlocked.Increment(ref isDone ? ref _healed : ref _updated);

        protected override JsonObject Counts() => new()
        {
            ["found"] = Found,
            ["updated"] = _updated,
            ["healed"] = _healed,
            ["skipped"] = _skipped
        };
    }
}
