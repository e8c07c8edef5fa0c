using System.Text.Json.Nodes;
using Agnes.Connectors.Events;
using Agnes.Connectors.Jira;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>What Jira's API answered goes into the journal beside what its webhooks send, so that one way leads to the tables.</summary>
internal sealed class JiraAnswers(EventIntakes intakes, JiraSettings settings, JiraFiles files)
{
    public const string HowToSetUp =
        "Jira's API is not set up on this server: set JIRA_DOMAIN, JIRA_EMAIL, JIRA_API_TOKEN and JIRA_WEBHOOK_SECRET";

    /// <summary>Bytes of the journal that may wait to be folded before whatever brings many answers waits.</summary>
    private const long WaitingMax = 64 << 20;

    private static readonly TimeSpan WaitLook = TimeSpan.FromMilliseconds(250);

    /// <summary>The intake of this process; null: it takes nothing, or has not begun.</summary>
    public EventIntake? Intake => intakes.Find(JiraKind.KindName);

    /// <summary>The intake, begun if need be.</summary>
    /// <exception cref="JiraException">There is none: the webhook is not set up, or another process has it.</exception>
    public EventIntake Begin()
    {
        if (Intake is { } begun) return begun;
        if (settings.Source is not { } source) throw new JiraException(JiraFault.SignIn, HowToSetUp);
        try
        {
            return intakes.Of(source);
        }
        catch (IOException taken)
        {
            throw new JiraException(JiraFault.Down, "Another process takes what Jira sends; this one cannot add to it.", taken);
        }
    }

    /// <summary>Asks for everything that belongs to an issue, and keeps it.</summary>
    /// <exception cref="JiraException"/>
    /// <exception cref="JournalFullException">There is no room now.</exception>
    public async Task<JiraIssue> FetchAsync(JiraApi api, string key, CancellationToken stop)
    {
        var issue = await api.IssueAsync(key, stop);
        await KeepAsync(api, issue, stop);
        return issue;
    }

    /// <summary>Asks for what belongs to an issue besides itself, and keeps both.</summary>
    /// <param name="issue">Complete.</param>
    /// <inheritdoc cref="FetchAsync"/>
    public async Task KeepAsync(JiraApi api, JiraIssue issue, CancellationToken stop)
    {
        var links = await api.RemoteLinksAsync(issue.Key, stop);
        await files.BringAsync(api.Account, issue, stop); // before the rows, which say where the files are
        await AppendAsync(issue, links, stop);
    }

    /// <param name="remoteLinks">Null: they were not asked for, or not answered.</param>
    /// <exception cref="JournalFullException">There is no room now.</exception>
    public Task AppendAsync(JiraIssue issue, JsonArray? remoteLinks, CancellationToken stop) =>
        Begin().AppendAsync(JiraSchema.Answer, "", JiraAnswer.Of(issue.Json, remoteLinks, issue.Asked), stop);

    /// <summary>Waits while much is not folded yet: what Jira sends by itself goes first.</summary>
    public async Task LeaveRoomAsync(TimeProvider time, CancellationToken stop)
    {
        while (Begin().Waiting > WaitingMax) await Task.Delay(WaitLook, time, stop);
    }
}
