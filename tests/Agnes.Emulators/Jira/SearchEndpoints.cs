using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Agnes.Emulators.Jira;

/// <summary>
/// Both searches. <c>search/jql</c> as Jira Cloud has it: ids alone where no fields are asked for, a token for the next page which the
/// last one has not, 1 to 5000 issues a page (fewer with fields), and no query without a restriction. And <c>search</c>, which Cloud
/// answers with 410 and older servers with places and a total.
/// </summary>
internal sealed class SearchEndpoints(JiraServer server)
{
    private const int PageDefault = 50;
    private const int PageMax = 5_000;
    private const int OldPageMax = 100;
    private const int ReconciledMax = 50;
    private const int BulkMax = 100;
    private const int BulkHistoriesMax = 40;
    private const string Unbounded = "Unbounded JQL queries are not allowed here. Please add a search restriction to your query.";
    private const string Removed = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. "
        + "A full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046";

    private static readonly HashSet<string> BodyFields = new(
        ["jql", "maxResults", "fields", "fieldsByKeys", "expand", "properties", "nextPageToken", "reconcileIssues", "failFast"],
            StringComparer.Ordinal);

    private static readonly HashSet<string> BulkFields = new(
        ["issueIdsOrKeys", "fields", "fieldsByKeys", "expand", "properties"], StringComparer.Ordinal);

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/search/jql", (HttpContext context) => SearchJql(context, OfQuery(context)));
        api.MapPost("/search/jql", async Task<IResult> (HttpContext context, CancellationToken _) =>
            SearchJql(context, await OfBodyAsync(context)));
        api.MapPost("/search/approximate-count", async Task<IResult> (HttpContext context, CancellationToken _) =>
            Count(await OfBodyAsync(context)));
        api.MapPost("/issue/bulkfetch", BulkAsync);
        api.MapGet("/search", (HttpContext context) => Search(context, OfQuery(context)));
        api.MapPost("/search", async Task<IResult> (HttpContext context, CancellationToken _) =>
            Search(context, await OfBodyAsync(context)));
    }

    private sealed record Question(string Jql, int? MaxResults, int StartAt, string? Token, FieldChoice Fields, HashSet<string> Expand,
        IReadOnlySet<int> Reconciled);

    private IResult SearchJql(HttpContext context, Question question)
    {
        if (server.Edition == JiraEdition.Server) return JiraEndpoints.NotFound(context);
        var site = server.Site;
        var now = site.Now.ToUnixTimeMilliseconds();
        var after = question.Token is { } token ? PageToken.Read(question.Jql, token, now, server.PageTokenLife) : (Position?)null;
        if (question.MaxResults is < 1 or > PageMax) throw JiraError.Bad($"The maxResults parameter must be between 1 and {PageMax}.");
        var jql = Jql.Parse(site, question.Jql, isCloud: true);
        if (jql.Clauses.Count == 0) throw JiraError.Bad(Unbounded);
        var max = question.MaxResults ?? PageDefault;
        if (!question.Fields.IsKeyOnly) max = Math.Min(max, server.PageIssuesMax);
        var (found, last, isLast) = site.Index.Page(question.Jql, jql, after, max, question.Reconciled);
        var page = new JsonObject { ["issues"] = Issues(context, question, found) };
        if (!isLast) page["nextPageToken"] = PageToken.Write(question.Jql, last, now);
        page["isLast"] = isLast;
        return JiraEndpoints.Json(page);
    }

    private IResult Search(HttpContext context, Question question)
    {
        var isServer = server.Edition == JiraEdition.Server;
        if (server.Edition == JiraEdition.Cloud) return JiraError.ToResult(StatusCodes.Status410Gone, Removed);
        var jql = Jql.Parse(server.Site, question.Jql, isCloud: !isServer);
        var max = Math.Clamp(question.MaxResults ?? PageDefault, 0, isServer ? 1_000 : OldPageMax);
        var (found, total) = server.Site.Index.Slice(question.Jql, jql, Math.Max(0, question.StartAt), max);
        var whole = question.Fields.IsGiven ? question : question with { Fields = new FieldChoice(["*navigable"], isAllByDefault: false) };
        return JiraEndpoints.Json(new JsonObject
        {
            ["expand"] = "names,schema",
            ["startAt"] = question.StartAt,
            ["maxResults"] = max,
            ["total"] = total,
            ["issues"] = Issues(context, whole, found),
        });
    }

    private IResult Count(Question question)
    {
        var jql = Jql.Parse(server.Site, question.Jql, isCloud: true);
        if (jql.Clauses.Count == 0) throw JiraError.Bad(Unbounded);
        return JiraEndpoints.Json(new JsonObject { ["count"] = server.Site.Index.Count(question.Jql, jql) });
    }

    /// <summary>
    /// Up to a hundred issues by id or key, as the documentation of <c>issue/bulkfetch</c> says: by ascending id, with navigable fields
    /// where none are asked for, at most 40 entries of a changelog, and without what is not there or may not be seen.
    /// </summary>
    private async Task<IResult> BulkAsync(HttpContext context, CancellationToken cancellationToken)
    {
        if (server.Edition == JiraEdition.Server) return JiraEndpoints.NotFound(context);
        var body = await BodyAsync(context, BulkFields);
        var names = Texts(body["issueIdsOrKeys"]);
        if (names.Count is 0 or > BulkMax) throw JiraError.Bad($"issueIdsOrKeys must have between 1 and {BulkMax} issues.");
        var numbers = names.Select(server.Site.NumberOf).OfType<int>().Distinct().Order();
        var fields = Texts(body["fields"]);
        var choice = new FieldChoice(fields.Count > 0 ? fields : ["*navigable"], isAllByDefault: false);
        var expand = Texts(body["expand"]).ToHashSet(StringComparer.Ordinal);
        var view = JiraEndpoints.ViewOf(server, context, BulkHistoriesMax);
        var isLimited = JiraEndpoints.ViewerOf(context) == Viewer.Personal;
        var issues = numbers
            .Where(number => !isLimited || !server.Site.Hidden.Contains(server.Site.KeyOf(server.Site.OutlineOf(number))))
            .Select(number => (JsonNode?)server.Site.Read(number, issue => view.Show(issue, choice, expand)))
            .Where(issue => issue is not null);
        return JiraEndpoints.Json(new JsonObject { ["issues"] = new JsonArray([.. issues]), ["issueErrors"] = new JsonArray() });
    }

    private JsonArray Issues(HttpContext context, Question question, List<Outline> found)
    {
        var view = JiraEndpoints.ViewOf(server, context);
        var issues = new JsonArray();
        var hidden = JiraEndpoints.ViewerOf(context) == Viewer.Personal ? server.Site.Hidden : new HashSet<string>(StringComparer.Ordinal);
        foreach (var outline in found)
        {
            if (hidden.Count > 0 && hidden.Contains(server.Site.KeyOf(outline))) continue;
            if (question.Fields.IsIdOnly) issues.Add(new JsonObject { ["id"] = $"{Issue.FirstId + outline.Number}" });
            else if (question.Fields.IsKeyOnly && question.Expand.Count == 0) issues.Add(Keyed(view, outline));
            else
            {
                // an issue that is gone and still in the index is found by its id, and has no fields to show
                var shown = server.Site.Read(outline.Number, issue => view.Show(issue, question.Fields, question.Expand));
                if (shown is not null) issues.Add(shown);
            }
        }

        return issues;
    }

    private JsonObject Keyed(IssueView view, Outline outline)
    {
        var id = Issue.FirstId + outline.Number;
        return new JsonObject
        {
            ["expand"] = "renderedFields,names,schema,operations,editmeta,changelog,versionedRepresentations",
            ["id"] = $"{id}",
            ["self"] = $"{server.Address}/rest/api/{view.Version}/issue/{id}",
            ["key"] = server.Site.KeyOf(outline),
        };
    }

    private Question OfQuery(HttpContext context)
    {
        var query = context.Request.Query;
        var token = query["nextPageToken"].ToString();
        return new Question(
            query["jql"].ToString(), query.ContainsKey("maxResults") ? JiraEndpoints.Number(context, "maxResults", PageDefault) : null,
            JiraEndpoints.Number(context, "startAt", 0), token.Length == 0 ? null : token,
                new FieldChoice(query["fields"]!, isAllByDefault: false),
            JiraEndpoints.Expand(context), Reconciled(query["reconcileIssues"].SelectMany(value => value!.Split(','))));
    }

    /// <param name="known">What a body may have; null: anything.</param>
    private static async Task<JsonObject> BodyAsync(HttpContext context, HashSet<string>? known)
    {
        try
        {
            if (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted) is JsonObject body
                && (known is null || body.All(field => known.Contains(field.Key)))) return body;
        }
        catch (JsonException)
        {
            throw Malformed();
        }

        throw Malformed();
    }

    private async Task<Question> OfBodyAsync(HttpContext context)
    {
        var isOld = context.Request.Path.Value!.EndsWith("/search", StringComparison.Ordinal);
        var body = await BodyAsync(context, isOld ? null : BodyFields); // which startAt is none of
        try
        {
            var expand = body["expand"] is JsonArray list ? Texts(list) : [.. ((string?)body["expand"])?.Split(',') ?? []];
            return new Question(
                (string?)body["jql"] ?? "", (int?)body["maxResults"], (int?)body["startAt"] ?? 0, (string?)body["nextPageToken"],
                new FieldChoice(Texts(body["fields"]), isAllByDefault: false), [.. expand], Reconciled(Texts(body["reconcileIssues"])));
        }
        catch (Exception wrong) when (wrong is InvalidOperationException or FormatException)
        {
            throw Malformed();
        }
    }

    private HashSet<int> Reconciled(IEnumerable<string> ids)
    {
        var numbers = new HashSet<int>();
        foreach (var text in ids.Where(text => text.Length > 0))
        {
            if (!long.TryParse(text, CultureInfo.InvariantCulture, out var id)) throw JiraError.Bad("reconcileIssues takes ids of issues.");
            var number = id - Issue.FirstId;
            if (number >= 0 && number < server.Site.Numbers) numbers.Add((int)number);
        }

        return numbers.Count <= ReconciledMax ? numbers
            : throw JiraError.Bad($"The reconcileIssues parameter takes at most {ReconciledMax} issues.");
    }

    /// <summary>A list of texts; nothing is an empty one.</summary>
    private static List<string> Texts(JsonNode? node)
    {
        if (node is null) return [];
        if (node is not JsonArray list
            || !list.All(one => one?.GetValueKind() is JsonValueKind.String or JsonValueKind.Number)) throw Malformed();
        return [.. list.Select(one => one!.ToString())];
    }

    private static JiraError Malformed() => JiraError.Bad("Invalid request payload. Refer to the REST API documentation and try again.");
}
