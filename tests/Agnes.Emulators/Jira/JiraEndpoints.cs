using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Agnes.Emulators.Jira;

/// <summary>What is read of one issue, and of the site.</summary>
internal sealed class JiraEndpoints(JiraServer server)
{
    private const int CommentsPage = 100;
    private const int ChangelogPage = 100;
    private const int WorklogsPage = 5_000;

    public static Step StepOf(PathString path)
    {
        var parts = path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (parts is not ["rest", "api", _, var what, ..]) return Step.Unknown;
        return (what, parts.Length > 5 ? parts[5] : "") switch
        {
            ("issue", "") => parts[^1] == "bulkfetch" ? Step.Bulk : Step.Issue,
            ("issue", "comment") => Step.Comments,
            ("issue", "changelog") => Step.Changelog,
            ("issue", "worklog") => Step.Worklogs,
            ("issue", "remotelink") => Step.RemoteLinks,
            ("search", _) => Step.Search,
            ("myself", _) => Step.Myself,
            ("serverInfo", _) => Step.ServerInfo,
            ("field", _) => Step.Fields,
            ("project", _) => Step.Projects,
            ("attachment", _) => Step.Attachment,
            _ => Step.Unknown,
        };
    }

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/issue/{key}", Issue);
        api.MapGet("/issue/{key}/comment", Comments);
        api.MapGet("/issue/{key}/changelog", Changelog);
        api.MapGet("/issue/{key}/worklog", Worklogs);
        api.MapGet("/issue/{key}/remotelink", RemoteLinks);
        api.MapGet("/myself", Myself);
        api.MapGet("/serverInfo", ServerInfo);
        api.MapGet("/field", Fields);
        api.MapGet("/project/search", Projects);
        api.MapGet("/attachment/{id:long}", AttachmentMetadata);
        api.MapGet("/attachment/content/{id:long}", ContentAsync);
        api.MapGet("/attachment/thumbnail/{id:long}", ContentAsync);
    }

    /// <summary>What all resources are under: version 3 is the cloud's alone.</summary>
    public RouteGroupBuilder MapVersions(IEndpointRouteBuilder app)
    {
        app.MapFallback(NotFound);
        return app.MapGroup("/rest/api/{version}").AddEndpointFilter(async (context, next) =>
        {
            var version = (string?)context.HttpContext.GetRouteValue("version");
            var isKnown = version is "2" or "latest" || (version == "3" && server.Edition != JiraEdition.Server);
            return isKnown ? await next(context) : NotFound(context.HttpContext);
        });
    }

    public static IResult Json(JsonNode node) => Results.Json(node, WebhookEvent.AsJiraWrites);

    public static Viewer ViewerOf(HttpContext context) => (Viewer)context.Items[typeof(Viewer)]!;

    /// <param name="historiesMax">How many entries of the changelog are inside an issue; a server of one's own has no limits.</param>
    public static IssueView ViewOf(JiraServer server, HttpContext context, int historiesMax = IssueView.WindowHistories)
    {
        var isServer = server.Edition == JiraEdition.Server;
        return new IssueView(server.Site, ViewerOf(context))
        {
            Version = (string?)context.GetRouteValue("version") == "3" ? 3 : 2,
            WindowMax = isServer ? int.MaxValue : IssueView.WindowComments,
            HistoriesMax = isServer ? int.MaxValue : historiesMax,
        };
    }

    /// <summary>A number of the query string; what is none is 404, as Jira answers what it cannot route.</summary>
    public static int Number(HttpContext context, string name, int otherwise)
    {
        var text = context.Request.Query[name].ToString();
        if (text.Length == 0) return otherwise;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number : throw new JiraError(StatusCodes.Status404NotFound, $"'{name}' must be a number.");
    }

    public static HashSet<string> Expand(HttpContext context) =>
        [.. context.Request.Query["expand"].SelectMany(value => value!.Split(',', StringSplitOptions.TrimEntries))];

    public static IResult NotFound(HttpContext context) =>
        JiraError.ToResult(StatusCodes.Status404NotFound, $"null for uri: {context.Request.Path}");

    private T Read<T>(HttpContext context, string key, Func<Issue, T> show) where T : class
    {
        var isHidden = ViewerOf(context) == Viewer.Personal && server.Site.Hidden.Count > 0 && server.Site.KeyOf(key) is { } known
            && server.Site.Hidden.Contains(known);
        return (isHidden ? null : server.Site.Read(key, show)) ?? throw JiraError.NoIssue();
    }

    private IResult Issue(HttpContext context, string key) => Json(Read(context, key, issue => ViewOf(server, context).Show(
        issue, new FieldChoice(context.Request.Query["fields"]!, isAllByDefault: true), Expand(context))));

    private IResult Comments(HttpContext context, string key)
    {
        var (start, max) = Window(context, CommentsPage, 5_000);
        var order = context.Request.Query["orderBy"].ToString();
        if (order is not ("" or "created" or "+created" or "-created"))
            throw JiraError.Bad($"The field {order} is not supported for ordering.");
        var isRendered = Expand(context).Contains("renderedBody");
        return Json(Read(context, key, issue =>
        {
            var view = ViewOf(server, context);
            var all = order == "-created" ? issue.Comments.AsEnumerable().Reverse() : issue.Comments;
            return new JsonObject
            {
                ["startAt"] = start,
                ["maxResults"] = max,
                ["total"] = issue.Comments.Count,
                ["comments"] = new JsonArray(
                    [.. all.Skip(start).Take(max).Select(comment => (JsonNode)view.Comment(issue, comment, isRendered))]),
            };
        }));
    }

    /// <summary>Oldest first, unlike inside an issue.</summary>
    private IResult Changelog(HttpContext context, string key)
    {
        if (server.Edition == JiraEdition.Server) return NotFound(context); // a resource of the cloud
        var (start, max) = Window(context, ChangelogPage, ChangelogPage);
        return Json(Read(context, key, issue => Page(context, issue.Histories, start, max, IssueView.History)));
    }

    private IResult Worklogs(HttpContext context, string key)
    {
        var (start, max) = Window(context, WorklogsPage, WorklogsPage);
        return Json(Read(context, key, issue =>
        {
            var view = ViewOf(server, context);
            return new JsonObject
            {
                ["startAt"] = start,
                ["maxResults"] = max,
                ["total"] = issue.Worklogs.Count,
                ["worklogs"] = new JsonArray(
                    [.. issue.Worklogs.Skip(start).Take(max).Select(worklog => (JsonNode)view.Worklog(issue, worklog))]),
            };
        }));
    }

    private IResult RemoteLinks(HttpContext context, string key)
    {
        var globalId = context.Request.Query["globalId"].ToString();
        return Json(Read(context, key, issue => ViewOf(server, context).RemoteLinks(issue, globalId.Length == 0 ? null : globalId)));
    }

    private static IResult Myself(HttpContext context)
    {
        var isPersonal = ViewerOf(context) == Viewer.Personal;
        var user = Catalog.User(isPersonal
            ? new Person("5b10a2844c20165700ede299", "Collector", JiraServer.Email)
            : new Person("712020:00000000-0000-4000-8000-000000000001", "Service levels", JiraServer.SlaEmail, "app"));
        user["locale"] = "en_US";
        user["groups"] = new JsonObject { ["size"] = 1, ["items"] = new JsonArray() };
        user["applicationRoles"] = new JsonObject { ["size"] = 1, ["items"] = new JsonArray() };
        user["expand"] = "groups,applicationRoles";
        return Json(user);
    }

    private IResult ServerInfo()
    {
        var isServer = server.Edition == JiraEdition.Server;
        return Json(new JsonObject
        {
            ["baseUrl"] = server.Address,
            ["version"] = isServer ? "9.12.5" : "1001.0.0-SNAPSHOT",
            ["versionNumbers"] = isServer ? new JsonArray(9, 12, 5) : new JsonArray(1001, 0, 0),
            ["deploymentType"] = isServer ? "Server" : "Cloud",
            ["buildNumber"] = 100_300,
            ["buildDate"] = "2026-10-01T12:00:00.000+0200",
            ["serverTime"] = SiteTime.Write(server.Site.Now.ToUnixTimeMilliseconds()),
            ["scmInfo"] = "0123456789abcdef0123456789abcdef01234567",
            ["serverTitle"] = "Example Jira",
        });
    }

    private static IResult Fields()
    {
        var system = Catalog.SystemFields.Select(field => new JsonObject
        {
            ["id"] = field.Id,
            ["key"] = field.Id,
            ["name"] = field.Name,
            ["custom"] = false,
            ["orderable"] = true,
            ["navigable"] = true,
            ["searchable"] = true,
            ["clauseNames"] = new JsonArray(field.Id),
            ["schema"] = new JsonObject { ["type"] = field.Type, ["system"] = field.Id },
        });
        var custom = Catalog.CustomFields.Select(field =>
        {
            var number = field.Id["customfield_".Length..];
            var schema = new JsonObject { ["type"] = field.Type };
            if (field.Items is not null) schema["items"] = field.Items;
            schema["custom"] = $"com.example.fields:{field.Type}";
            schema["customId"] = int.Parse(number, CultureInfo.InvariantCulture);
            return new JsonObject
            {
                ["id"] = field.Id,
                ["key"] = field.Id,
                ["name"] = field.Name,
                ["untranslatedName"] = field.Name,
                ["custom"] = true,
                ["orderable"] = true,
                ["navigable"] = true,
                ["searchable"] = true,
                ["clauseNames"] = new JsonArray($"cf[{number}]", field.Name),
                ["schema"] = schema,
            };
        });
        return Json(new JsonArray([.. system.Concat(custom)]));
    }

    private IResult Projects(HttpContext context)
    {
        var (start, max) = Window(context, 50, 100);
        var indices = Enumerable.Range(0, server.Site.Shape.Projects.Count).ToList();
        return Json(Page(context, indices, start, max, ViewOf(server, context).Project));
    }

    private IResult AttachmentMetadata(HttpContext context, long id)
    {
        var json = ViewOf(server, context).Attachment(Attachment(id));
        json["id"] = id; // a number here, a text inside an issue
        return Json(json);
    }

    /// <summary>Sends callers to the second host; with <c>redirect=false</c> the bytes come from here, as is documented.</summary>
    private async Task ContentAsync(HttpContext context, long id)
    {
        var attachment = Attachment(id);
        var isServedHere = context.Request.Query["redirect"] == "false" || server.Edition == JiraEdition.Server;
        if (isServedHere) await MediaHost.WriteAsync(context, attachment);
        else await Results.Redirect(server.Media.AddressOf(attachment)).ExecuteAsync(context);
    }

    private Attachment Attachment(long id) => server.Site.FindAttachment($"{id}")
        ?? throw new JiraError(StatusCodes.Status404NotFound, $"The attachment with id '{id}' does not exist");

    private static (int Start, int Max) Window(HttpContext context, int otherwise, int most) =>
        (Math.Max(0, Number(context, "startAt", 0)), Math.Clamp(Number(context, "maxResults", otherwise), 0, most));

    private JsonObject Page<T>(HttpContext context, List<T> all, int start, int max, Func<T, JsonNode> show)
    {
        var self = $"{server.Address}{context.Request.Path}";
        var isLast = start + max >= all.Count;
        var page = new JsonObject { ["self"] = $"{self}?startAt={start}&maxResults={max}" };
        if (!isLast) page["nextPage"] = $"{self}?startAt={start + max}&maxResults={max}";
        page["maxResults"] = max;
        page["startAt"] = start;
        page["total"] = all.Count;
        page["isLast"] = isLast;
        page["values"] = new JsonArray([.. all.Skip(start).Take(max).Select(show)]);
        return page;
    }
}
