using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>
/// Brings issues that Jira had before it began to send, or whose deliveries were lost: those of a query, oldest first, named ones, or known
/// ones without their links. After each page it stores where it stands, and goes on from there when its process has ended.
/// </summary>
internal sealed class BackfillJob(JiraSettings settings, JiraAnswers answers, DataFolder folder, TimeProvider time) : IJobHandler
{
    public const string KindName = "jira-backfill";
    public const int KeysMax = 10_000;
    private const string Step = "issues";
    private const int AtOnceMax = 4;

    public string Kind => KindName;

    public Lane Lane => Lane.Network;

    public static JobRequest Request(BackfillInput input, string trigger, string? by) =>
        new(KindName, null, KindName, trigger, by, input.Write());

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var api = settings.Site ?? throw new JiraException(JiraFault.SignIn, $"{JiraAnswers.HowToSetUp}.");
        answers.Begin();
        var input = BackfillInput.Read(job.Job.Input);
        var run = new BackfillRun(job.Checkpoint);
        var documents = new IssueFiles(folder.Source(JiraKind.KindName));
        await job.TableStartedAsync(Step, cancellation);
        var pages = Pages(api, input, documents, run, cancellation);
        await foreach (var keys in pages)
        {
            run.Searched += keys.Count;
            if (!input.IsDryRun)
            {
                await answers.LeaveRoomAsync(time, cancellation);
                await BringAsync(job, api, run, Wanted(keys, input, documents, run), cancellation);
            }

            await job.SaveCheckpointAsync(run.Write(), cancellation);
            job.TableProgress(Step, run.Downloaded, null, $"{run.Searched} found");
        }

        await job.TableDoneAsync(Step, run.Failed == 0 ? "ok" : "failed", run.Downloaded, null, cancellation);
        return run.End("fetched");
    }

    private static async IAsyncEnumerable<IReadOnlyList<string>> Pages(
        JiraApi api, BackfillInput input, IssueFiles documents, BackfillRun run,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        if (input.Keys.Count > 0 || input.IsOfLinks)
        {
            var (after, keys) = (run.After, input.Keys.Count > 0 ? input.Keys : documents.Keys());
            var left = keys.Order(StringComparer.Ordinal).SkipWhile(key => string.CompareOrdinal(key, after) <= 0);
            if (input.Keys.Count == 0) left = left.Where(documents.IsWithoutLinks);
            foreach (var page in left.Chunk(JiraApi.BulkMax))
            {
                stop.ThrowIfCancellationRequested();
                run.After = page[^1];
                yield return page;
            }

            yield break;
        }

        var search = new JiraSearch(api, input.Jql, run.Place);
        while (await search.NextAsync(stop) is { } hits)
        {
            run.Place = search.Place;
            yield return [.. hits.Select(hit => hit.Key)];
        }
    }

    private static List<string> Wanted(IReadOnlyList<string> keys, BackfillInput input, IssueFiles documents, BackfillRun run)
    {
        var wanted = input.SkipsExisting && input.Keys.Count == 0 ? keys.Where(key => !documents.IsFetched(key)).ToList() : [.. keys];
        run.Skipped += keys.Count - wanted.Count;
        return wanted;
    }

    /// <summary>Many at once, where there is such a request and the answer is not too large; the others are asked for one by one.</summary>
    private static async Task<IReadOnlyList<JiraIssue>> FoundAsync(JiraApi api, List<string> keys, CancellationToken stop)
    {
        if (keys.Count == 1 || !await api.IsCloudAsync(stop)) return [];
        try
        {
            return await api.BulkAsync(keys, stop);
        }
        catch (JiraException fault) when (fault.Fault is JiraFault.Refused or JiraFault.Missing or JiraFault.Gone)
        {
            return [];
        }
    }

    private async Task BringAsync(JobContext job, JiraApi api, BackfillRun run, List<string> keys, CancellationToken cancellation)
    {
        if (keys.Count == 0) return;
        var found = await FoundAsync(api, keys, cancellation);
        var left = keys.Except(found.Select(issue => issue.Key),
            StringComparer.Ordinal); // moved, deleted, hidden; or there is no such request
        var works = found.Select(issue => (issue.Key, Issue: (JiraIssue?)issue))
            .Concat(left.Select(key => (Key: key, Issue: (JiraIssue?)null)));
        await Parallel.ForEachAsync(works, new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = cancellation },
            async (work, stop) =>
        {
            try
            {
                if (work.Issue is { } issue)
                {
                    await api.CompleteAsync(issue, stop);
                    await answers.KeepAsync(api, issue, stop);
                }
                else await answers.FetchAsync(api, work.Key, stop);
                run.Bring();
            }
            catch (JiraException missing) when (missing.Fault == JiraFault.Missing)
            {
                run.Miss(); // the search shows deleted issues for a while
            }
            catch (JiraException fault) when (fault is not { Fault: JiraFault.SignIn } and not { IsForNow: true, IsOfSite: true })
            {
                await run.FailAsync(job, work.Key, fault.Message, stop);
            }
            catch (JournalFullException)
            {
                await run.FailAsync(job, work.Key, "the journal has no room.", stop);
            }
        });
    }
}

/// <summary>What a backfill is told.</summary>
/// <param name="Jql">Empty: everything.</param>
/// <param name="Keys">Named issues; the query then counts for nothing, and they are fetched whether they are known or not.</param>
/// <param name="SkipsExisting">What was fetched before is left as it is.</param>
/// <param name="IsOfLinks">Known issues of which no links to other systems are known.</param>
internal sealed record BackfillInput(string Jql, IReadOnlyList<string> Keys, bool SkipsExisting, bool IsOfLinks, bool IsDryRun)
{
    public string Write() => new JsonObject
    {
        ["jql"] = Jql,
        ["issue_keys"] = new JsonArray([.. Keys.Select(key => (JsonNode)JsonValue.Create(key))]),
        ["skip_existing"] = SkipsExisting,
        ["remote_links"] = IsOfLinks,
        ["dry_run"] = IsDryRun,
    }.ToJsonString();

    public static BackfillInput Read(string? stored)
    {
        var input = JsonNode.Parse(stored ?? "{}") as JsonObject ?? [];
        return new BackfillInput(
            (string?)input["jql"] ?? "", [.. (input["issue_keys"] as JsonArray ?? []).Select(key => (string)key!)],
                (bool?)input["skip_existing"] ?? true,
            (bool?)input["remote_links"] ?? false, (bool?)input["dry_run"] ?? false);
    }
}

/// <inheritdoc/>
internal sealed class BackfillRun : IssueRun
{
    private long _downloaded;

    public BackfillRun(string? checkpoint)
    {
        if (Take(checkpoint) is not { } saved) return;
        (Searched, Skipped, _downloaded) = ((long?)saved["searched"] ?? 0, (long?)saved["skipped"] ?? 0, (long?)saved["downloaded"] ?? 0);
        if (saved["place"] is JsonObject place) Place = JiraPlace.Read(place);
    }

    public long Searched { get; set; }

    /// <summary>Were fetched before.</summary>
    public long Skipped { get; set; }

    public long Downloaded => Interlocked.Read(ref _downloaded);

    public JiraPlace? Place { get; set; }

    public void Bring() => Interlocked.Increment(ref _downloaded);

    protected override JsonObject Counts() => new() { ["searched"] = Searched, ["downloaded"] = Downloaded, ["skipped"] = Skipped };

    protected override void AddTo(JsonObject saved) => saved["place"] = Place?.Write();
}
