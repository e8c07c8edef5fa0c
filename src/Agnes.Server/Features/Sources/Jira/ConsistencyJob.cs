using System.Globalization;
using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>
/// Compares what Jira has with what is known here, of issues created within some days: spec/02 §7.7. Few that are missing are fetched; many
/// are said and left, since something else must be wrong. What only the search says counts for nothing: its index lags and misses, so each
/// issue in question is asked for by itself, and twice before it is said to be gone. Nothing is ever removed.
/// </summary>
internal sealed class ConsistencyJob(JiraSettings settings, JiraAnswers answers, IssueRows issues, DataFolder folder, TimeProvider time)
    : IJobHandler
{
    public const string KindName = "jira-consistency";
    public const int DaysDefault = 30;
    public const int DaysDeep = 365;
    public const int DaysMax = 36_500;
    public static readonly TimeSpan Every = TimeSpan.FromMinutes(30);
    public static readonly TimeSpan EveryDeep = TimeSpan.FromDays(7);
    private const int DeepAfterDays = 90;
    private const int FixedMax = 10;
    private const int AskedMax = 500;
    private static readonly TimeSpan Grace = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan SecondAsk = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FoldWait = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan FoldLook = TimeSpan.FromMilliseconds(500);

    public string Kind => KindName;

    public Lane Lane => Lane.Network;

    public static JobRequest Request(int days, bool isFixing, bool isDryRun, string trigger, string? by) => new(
        KindName, null, KindName, trigger, by, new JsonObject
        {
            ["max_age_days"] = days,
            ["auto_fix"] = isFixing,
            ["dry_run"] = isDryRun
        }.ToJsonString());

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        var api = settings.Site ?? throw new JiraException(JiraFault.SignIn, $"{JiraAnswers.HowToSetUp}.");
        answers.Begin();
        var input = JsonNode.Parse(job.Job.Input ?? "{}") as JsonObject ?? [];
        var days = (int?)input["max_age_days"] ?? DaysDefault;
        var isFixing = ((bool?)input["auto_fix"] ?? true) && (bool?)input["dry_run"] != true;
        var begun = time.GetTimestamp();
        var now = time.GetUtcNow();
        var window = new CheckedWindow(new DateTimeOffset((now - TimeSpan.FromDays(days)).UtcDateTime.Date, TimeSpan.Zero), now - Grace,
            settings.Project);

        var report = new ConsistencyReport(now, days, days > DeepAfterDays);
        report.InApi = await FoundAsync(api, window, cancellation);
        await LookAsync(report, window, cancellation);
        report.Missing = await ConfirmMissingAsync(api, report, cancellation);
        report.Gone = await ConfirmGoneAsync(api, report, cancellation);
        if (isFixing) await FixAsync(job, api, report, window, cancellation);

        report.Seconds = time.GetElapsedTime(begun).TotalSeconds;
        if ((bool?)input["dry_run"] != true) report.Save(Path.Combine(folder.Source(JiraKind.KindName), "raw"));
        await job.LogAsync(
            $"{report.Missing.Count} issues are missing, {report.NotInTables.Count} wait to be folded, "
                + $"{report.Gone.Count} are gone from Jira.", cancellation);
        var isGood = report is { IsWhole: true, AlertLevel: not ConsistencyReport.Error };
        return new JobResult(
            isGood ? JobStatus.Ok : JobStatus.Partial, report.Write().ToJsonString(),
            isGood ? null
                : $"{report.Missing.Count} issues are missing here, {report.FailedToFix.Count} of them could not be fetched. "
                + "All of them: agnes admin jira backfill");
    }

    /// <summary>
    /// What the search finds. Times in queries are of the account's time zone, so a day more is asked for and what it says is
    /// compared here.
    /// </summary>
    private static async Task<HashSet<string>> FoundAsync(JiraApi api, CheckedWindow window, CancellationToken stop)
    {
        var since = (window.Since - TimeSpan.FromDays(1)).ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
        var where = window.Project is { } project
            ? $"project = \"{project.Replace("\\", "", StringComparison.Ordinal).Replace("\"", "", StringComparison.Ordinal)}\"" : "";
        var search = new JiraSearch(api, where, new JiraPlace(since));
        var found = new HashSet<string>(StringComparer.Ordinal);
        while (await search.NextAsync(stop) is { } hits)
        {
            foreach (var hit in hits)
            {
                if (CheckedWindow.Read(hit.Created) is { } created && window.Has(created)) found.Add(hit.Key);
            }
        }

        return found;
    }

    /// <summary>What is known here: in files, which the folding writes, and in the tables, which it writes too.</summary>
    private async Task LookAsync(ConsistencyReport report, CheckedWindow window, CancellationToken stop)
    {
        var documents = new IssueFiles(folder.Source(JiraKind.KindName));
        var files = documents.Keys().ToHashSet(StringComparer.Ordinal); // before the tables: what is folded in between is in both
        var all = (await issues.KeysAsync("true", stop)).ToHashSet(StringComparer.Ordinal);
        report.InTables = [.. await issues.KeysAsync(window.Sql, stop)];
        report.InFiles = [.. report.InTables.Where(files.Contains)];
        foreach (var key in files.Except(all))
        {
            if (documents.Find(key) is not { } issue) continue;
            if (issue["_deleted_at"] is not null) report.Deleted.Add(key);
            else if (CheckedWindow.Read((issue["fields"] as JsonObject)?["created"]?.ToString()) is { } created && window.Has(created)
                && window.IsOf(key))
            {
                report.InFiles.Add(key);
                report.NotInTables.Add(key);
            }
        }
    }

    private static async Task<List<string>> ConfirmMissingAsync(JiraApi api, ConsistencyReport report, CancellationToken stop)
    {
        // The search lists deleted issues for a while, and moved ones under the key that they had.
        var candidates = report.InApi.Except(report.InFiles).Where(key => !report.Deleted.Contains(key)).Order(StringComparer.Ordinal)
            .ToList();
        var missing = new List<string>();
        foreach (var key in candidates)
        {
            if (missing.Count > AskedMax || await KeyNowAsync(api, key, stop) is { } present
                && !report.InFiles.Contains(present)) missing.Add(key);
            else report.InApi.Remove(key);
        }

        return missing;
    }

    private async Task<List<string>> ConfirmGoneAsync(JiraApi api, ConsistencyReport report, CancellationToken stop)
    {
        var gone = new List<string>();
        foreach (var key in report.InFiles.Except(report.InApi).Order(StringComparer.Ordinal).Take(AskedMax).ToList())
        {
            if (await KeyNowAsync(api, key, stop) is null) gone.Add(key);
            else report.InApi.Add(key); // it is there: the search missed it
        }

        if (gone.Count == 0) return gone;
        await Task.Delay(SecondAsk, time, stop);
        var certain = new List<string>();
        foreach (var key in gone)
        {
            if (await KeyNowAsync(api, key, stop) is null) certain.Add(key);
            else report.InApi.Add(key);
        }

        return certain;
    }

    /// <returns>Null: there is no such issue, or it may not be seen.</returns>
    private static async Task<string?> KeyNowAsync(JiraApi api, string key, CancellationToken stop)
    {
        try
        {
            return (await api.FieldsAsync(key, ["created"], stop)).Key;
        }
        catch (JiraException fault) when (fault.Fault is JiraFault.Missing or JiraFault.Denied)
        {
            return null;
        }
    }

    private async Task FixAsync(JobContext job, JiraApi api, ConsistencyReport report, CheckedWindow window, CancellationToken stop)
    {
        var wanted = report.NotInTables.Take(AskedMax).ToList();
        if (report.Missing.Count <= FixedMax) wanted.AddRange(report.Missing);
        foreach (var key in wanted)
        {
            try
            {
                await answers.FetchAsync(api, key, stop);
                if (report.Missing.Contains(key)) report.Fixed.Add(key);
            }
            catch (Exception fault) when (fault is JiraException { IsOfSite: false } or JournalFullException)
            {
                report.FailedToFix.Add(key);
                await job.LogAsync($"{key}: {fault.Message}", stop);
            }
        }

        if (wanted.Count == report.FailedToFix.Count) return;
        var begun = time.GetTimestamp();
        do await Task.Delay(FoldLook, time, stop);
        while (answers.Begin().Waiting > 0 && time.GetElapsedTime(begun) < FoldWait);
        var before = report.NotInTables.ToHashSet(StringComparer.Ordinal);
        (report.NotInTables, report.InFiles) = ([], []);
        await LookAsync(report, window, stop);
        report.FailedToFold.AddRange(report.NotInTables.Where(before.Contains));
        report.NotInTables = [.. before.Order(StringComparer.Ordinal)]; // as it was found
    }
}

/// <summary>Which issues are compared.</summary>
/// <param name="Until">Not the last minutes, in which events are still on their way.</param>
internal sealed record CheckedWindow(DateTimeOffset Since, DateTimeOffset Until, string? Project)
{
    /// <summary>As conditions over the table.</summary>
    public string Sql => $"created_at >= TIMESTAMPTZ '{Moment(Since)}' AND created_at <= TIMESTAMPTZ '{Moment(Until)}'"
        + (Project is null ? "" : $" AND starts_with(issue_key, {Protocol.SqlText.Literal(Project + "-")})");

    public static DateTimeOffset? Read(string? created) =>
        DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment) ? moment : null;

    public bool Has(DateTimeOffset created) => created >= Since && created <= Until;

    public bool IsOf(string key) => Project is null || key.StartsWith(Project + "-", StringComparison.Ordinal);

    private static string Moment(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'+00'",
        CultureInfo.InvariantCulture);
}
