using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>An issue as the API showed it.</summary>
/// <param name="Asked">By Jira's own clock, when the question was begun, or a little before.</param>
internal sealed record JiraIssue(string Key, JsonObject Json, DateTimeOffset Asked);

/// <summary>What is read of Jira, of Cloud by version 3 of its API and of servers of one's own by version 2: spec/02 §7.4.</summary>
/// <param name="http">Whoever shares it waits together.</param>
/// <param name="isPatient">What fails for now is tried again, for minutes if need be.</param>
/// <param name="isCloud">It is known to be Cloud: whoever asks through Atlassian's gateway may not ask which it is.</param>
internal sealed class JiraApi(JiraHttp http, bool isPatient = true, bool isCloud = false)
{
    /// <summary>Issues that one request can ask for.</summary>
    public const int BulkMax = 100;

    private const int PageSize = 100;
    private const int PagesMax = 1_000;
    private const int RoundsMax = 3;
    private bool? _isCloud = isCloud ? true : null;

    public JiraAccount Account => http.Account;

    /// <summary>The same, for whoever comes back by himself and must not wait here.</summary>
    public JiraApi Impatient => field ??= new JiraApi(http, isPatient: false, isCloud);

    /// <inheritdoc cref="JiraHttp.Quiet"/>
    public TimeSpan Quiet => http.Quiet;

    /// <summary>Whether it is Cloud, which took the older search away; asked once.</summary>
    /// <exception cref="JiraException"/>
    public async Task<bool> IsCloudAsync(CancellationToken stop)
    {
        if (_isCloud is { } known) return known;
        try
        {
            var info = await http.AskAsync("rest/api/2/serverInfo", null, isPatient, stop);
            _isCloud = (info.Json as JsonObject)?["deploymentType"]?.ToString() is not ("Server" or "Data Center" or "DataCenter");
        }
        catch (JiraException hidden) when (hidden.Fault is JiraFault.Denied or JiraFault.Missing)
        {
            _isCloud = true; // servers of one's own tell everybody
        }

        return _isCloud.Value;
    }

    /// <summary>Whether the account is taken: its name there.</summary>
    /// <exception cref="JiraException"/>
    public async Task<string> MyselfAsync(CancellationToken stop)
    {
        var reply = await AskAsync("myself", null, stop);
        return (reply.Json as JsonObject)?["displayName"]?.ToString() ?? throw NotUnderstood("myself");
    }

    /// <summary>An issue with all of its fields, all of its comments and its whole changelog.</summary>
    /// <exception cref="JiraException"/>
    public async Task<JiraIssue> IssueAsync(string key, CancellationToken stop)
    {
        var reply = await AskAsync($"issue/{Uri.EscapeDataString(key)}?expand=changelog&fields=*all", null, stop);
        var issue = Read(reply.Json, reply.Asked) ?? throw NotUnderstood(key);
        await CompleteAsync(issue, stop);
        return issue;
    }

    /// <summary>Some fields of an issue.</summary>
    /// <exception cref="JiraException"/>
    public async Task<JiraIssue> FieldsAsync(string key, IEnumerable<string> fields, CancellationToken stop)
    {
        var reply = await AskAsync($"issue/{Uri.EscapeDataString(key)}?fields={string.Join(',', fields.Select(Uri.EscapeDataString))}",
            null, stop);
        return Read(reply.Json, reply.Asked) ?? throw NotUnderstood(key);
    }

    /// <summary>
    /// Several issues, those that there are and may be seen, with the first of their comments and changes: <see cref="CompleteAsync"/> asks
    /// for the rest.
    /// </summary>
    /// <exception cref="JiraException"/>
    public async Task<IReadOnlyList<JiraIssue>> BulkAsync(IReadOnlyList<string> keys, CancellationToken stop)
    {
        var body = new JsonObject
        {
            ["issueIdsOrKeys"] = new JsonArray([.. keys.Select(key => (JsonNode)JsonValue.Create(key))]),
            ["fields"] = new JsonArray("*all"),
            ["expand"] = new JsonArray("changelog"),
        };
        var reply = await AskAsync("issue/bulkfetch", body, stop);
        if (reply.Json is not JsonObject answer || answer["issues"] is not JsonArray issues) throw NotUnderstood("issue/bulkfetch");
        return [.. issues.Select(issue => Read(issue?.DeepClone(), reply.Asked)).OfType<JiraIssue>()];
    }

    /// <summary>Fetches the comments and changes that an answer had no room for.</summary>
    /// <exception cref="JiraException"/>
    public async Task CompleteAsync(JiraIssue issue, CancellationToken stop)
    {
        if (issue.Json["fields"] is JsonObject fields && fields["comment"] is JsonObject comments
            && Total(comments) > Count(comments["comments"]))
        {
            if (await AllAsync(issue.Key, "comment", "comments", stop) is { } all)
                (comments["total"], comments["comments"]) = (all.Count, all);
        }

        if (issue.Json["changelog"] is JsonObject log && Total(log) > Count(log["histories"]))
        {
            if (await AllAsync(issue.Key, "changelog", "values", stop) is { } all) (log["total"], log["histories"]) = (all.Count, all);
        }
    }

    /// <summary>Its links to other systems; null: there are none to be seen, which says nothing of them.</summary>
    /// <exception cref="JiraException"/>
    public async Task<JsonArray?> RemoteLinksAsync(string key, CancellationToken stop)
    {
        try
        {
            var reply = await AskAsync($"issue/{Uri.EscapeDataString(key)}/remotelink", null, stop);
            return reply.Json as JsonArray ?? throw NotUnderstood($"{key}/remotelink");
        }
        catch (JiraException fault) when (fault.Fault is JiraFault.Missing or JiraFault.Denied)
        {
            return null;
        }
    }

    /// <summary>A request below the API's root of the edition.</summary>
    /// <exception cref="JiraException"/>
    public async Task<JiraReply> AskAsync(string path, JsonObject? body, CancellationToken stop) =>
        await http.AskAsync($"rest/api/{(await IsCloudAsync(stop) ? 3 : 2)}/{path}", body, isPatient, stop);

    /// <summary>
    /// All of a list that comes in pages; null where it changed under the reader time and again: then what is known stays, and the event of
    /// that change brings the rest.
    /// </summary>
    private async Task<JsonArray?> AllAsync(string key, string what, string items, CancellationToken stop)
    {
        for (var round = 0; round < RoundsMax; round++)
        {
            var all = new JsonArray();
            long? total = null;
            var isSteady = true;
            for (var page = 0; page < PagesMax && isSteady && (total is null || all.Count < total); page++)
            {
                var path = string.Create(
                    CultureInfo.InvariantCulture, $"issue/{Uri.EscapeDataString(key)}/{what}?startAt={all.Count}&maxResults={PageSize}");
                var reply = await AskAsync(path, null, stop);
                if (reply.Json is not JsonObject answer || answer[items] is not JsonArray list) throw NotUnderstood($"{key}/{what}");
                isSteady = total is null || total == Total(answer); // else something came or went, and pages overlap or leave gaps
                total = Total(answer);
                foreach (var item in list) all.Add(item?.DeepClone());
                if (list.Count == 0) break;
            }

            if (isSteady && all.Count == total) return all;
        }

        return null;
    }

    private static JiraIssue? Read(JsonNode? node, DateTimeOffset asked) =>
        node is JsonObject issue && issue["fields"] is JsonObject && issue["key"] is JsonValue name && name.TryGetValue<string>(out var key)
            && Connectors.Jira.JiraKey.IsKey(key) ? new JiraIssue(key, issue, asked) : null;

    private static long Total(JsonObject window) =>
        window["total"] is JsonValue value && value.TryGetValue<long>(out var total) ? total : 0;

    private static int Count(JsonNode? list) => (list as JsonArray)?.Count ?? 0;

    private JiraException NotUnderstood(string what) =>
        new(JiraFault.NotUnderstood, $"Jira at {Account.Address.Host} answered something else than what was asked: {what}.");
}
