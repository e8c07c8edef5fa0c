using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Access;

/// <summary>Every route with which an admin changes something, used once with success: each says in the audit log who did what, when, and from where. A route that is not used here fails.</summary>
public sealed class EveryChangeIsAuditedTests(Postgres postgres)
{
    private const string Query = "{name: q, category: c, question: 'How many?', sql: SELECT count(*) AS n FROM orders}";
    private const string Metric = "{name: m, display_name: M, category: c, table: Orders, sql: SELECT count(*) AS m FROM orders}";

    /// <summary>Method, route, path where it has parameters, body, and the name under which the answer's id goes on.</summary>
    internal static readonly Step[] Steps =
    [
        new("POST", "/api/users", Body: """{"email":"new@example.com","name":"New","send_invite":true}""", Id: "user"),
        new("PATCH", "/api/users/{id}", "/api/users/{user}", """{"name":"Newer"}"""),
        new("POST", "/api/users/{id}/deactivate", "/api/users/{user}/deactivate"),
        new("POST", "/api/users/{id}/activate", "/api/users/{user}/activate"),
        new("POST", "/api/users/{id}/reset-password", "/api/users/{user}/reset-password"),
        new("POST", "/api/users/{id}/set-password", "/api/users/{user}/set-password", """{"password":"correct horse"}"""),
        new("DELETE", "/api/users/{id}/sessions/{sessionId}", "/api/users/{user}/sessions/{session}"),
        new("DELETE", "/api/users/{id}/sessions", "/api/users/{user}/sessions"),
        new("POST", "/api/admin/groups", Body: """{"name":"G"}""", Id: "group"),
        new("PATCH", "/api/admin/groups/{id}", "/api/admin/groups/{group}", """{"name":"H"}"""),
        new("POST", "/api/admin/groups/{id}/members", "/api/admin/groups/{group}/members", """{"email":"new@example.com"}"""),
        new("DELETE", "/api/admin/groups/{id}/members/{userId}", "/api/admin/groups/{group}/members/{user}"),
        new("POST", "/api/admin/users/{id}/memberships", "/api/admin/users/{user}/memberships", """{"group_id":"{group}"}"""),
        new("DELETE", "/api/admin/users/{id}/memberships/{groupId}", "/api/admin/users/{user}/memberships/{group}"),
        new("POST", "/api/admin/grants", Body: """{"group_id":"{group}","resource_type":"table","resource_id":"orders"}""", Id: "grant"),
        new("DELETE", "/api/admin/grants/{id}", "/api/admin/grants/{grant}"),
        new("POST", "/api/admin/grants/bulk", Body: """{"group_id":"{group}","resource_type":"table","add":["orders"]}"""),
        new("DELETE", "/api/admin/groups/{id}", "/api/admin/groups/{group}"),
        new("DELETE", "/api/users/{id}", "/api/users/{user}"),
        new("DELETE", "/auth/admin/tokens/{id}", "/auth/admin/tokens/{token}"),
        new("POST", "/api/admin/register-table", Body: """{"name":"later","source_type":"csv","source_table":"later.csv"}""", Id: "table"),
        new("PUT", "/api/admin/registry/{id}", "/api/admin/registry/{table}", """{"description":"x"}"""),
        new("DELETE", "/api/admin/registry/{id}", "/api/admin/registry/{table}"),
        new("POST", "/api/admin/connections", Body: """{"name":"eu","kind":"csv","settings":{"folder":"eu"}}"""),
        new("PUT", "/api/admin/connections/{name}", "/api/admin/connections/eu", """{"settings":{"folder":"europe"}}"""),
        new("POST", "/api/admin/connections/{name}/check", "/api/admin/connections/eu/check"),
        new("DELETE", "/api/admin/connections/{name}", "/api/admin/connections/eu"),
        new("POST", "/api/admin/register-tables", Body: """{"tables":[{"name":"last","source_type":"csv","source_table":"last.csv"}]}"""),
        new("PUT", "/api/admin/secrets/{name}", "/api/admin/secrets/KEBOOLA_STORAGE_TOKEN", """{"value":"x"}"""),
        new("DELETE", "/api/admin/secrets/{name}", "/api/admin/secrets/KEBOOLA_STORAGE_TOKEN"),
        new("POST", "/api/admin/server-config", Body: """{"sections":{"instance":{"name":"x"}}}"""),
        new("POST", "/api/admin/configure", Body: """{"data_source":"local"}"""),
        new("POST", "/api/admin/metadata/{table_id}", "/api/admin/metadata/orders", """{"columns":[{"column_name":"id","description":"Its number"}]}"""),
        new("POST", "/api/admin/metrics", Body: """{"id":"c/a","name":"a","display_name":"A","category":"c","table_name":"Orders","sql":"SELECT count(*) AS a FROM orders"}"""),
        new("POST", "/api/admin/metrics/import", Body: Metric),
        new("DELETE", "/api/admin/metrics/{**id}", "/api/admin/metrics/c/a"),
        new("POST", "/api/admin/verified-queries/import", Body: Query),
        new("POST", "/api/admin/verified-queries/canonical", Body: """{"id":"c/q"}"""),
        new("DELETE", "/api/admin/verified-queries/{**id}", "/api/admin/verified-queries/c/q"),
        new("POST", "/api/admin/run-bq-metadata-refresh"),
        new("POST", "/api/admin/cache-warmup/run"),
        new("POST", "/api/sync/trigger", Body: "[\"last\"]", Id: "run"),
    ];

    /// <summary>Routes for admins that change nothing, or whose change another test looks at.</summary>
    internal static readonly Dictionary<string, string> Besides = new(StringComparer.Ordinal)
    {
        ["POST /api/admin/registry/{id}/rollback"] = "wants a table of two versions: HistoryTests",
        ["POST /api/sync/runs/{id}/cancel"] = "wants a run that is going on at that very moment",
        ["POST /api/admin/metadata/{table_id}/push"] = "wants a Keboola project: ColumnMetadataTests",
        ["DELETE /api/admin/statements/{id}"] = "wants a statement that runs at that very moment: RemoteTablesTests",
        ["POST /api/admin/register-table/precheck"] = "changes nothing",
        ["POST /api/admin/discover-and-register"] = "wants a Keboola project: KeboolaTests",
        ["POST /api/admin/jira/backfill"] = "wants a Jira site: JiraJobTests",
        ["POST /api/admin/jira/sla-poll"] = "wants a Jira site: JiraJobTests",
        ["POST /api/admin/jira/consistency"] = "wants a Jira site: JiraJobTests",
        ["POST /api/sync/plan"] = "changes nothing",
        ["POST /api/admin/events/{source}/replay"] = "wants a source that sends: JiraTests",
        ["POST /api/admin/scheduler/report"] = "a row that says itself who did what last: SchedulerTests",
        ["POST /api/v2/metadata-cache/refresh"] = "keeps what a source says of itself: MetadataTests",
    };

    [Fact]
    public async Task Whoever_changes_something_is_in_the_log_with_what_when_and_from_where()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { ConfigDir = options.StateDir + "/none" });
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        names["token"] = (await shop.Server.SendAsync("POST", "/auth/tokens", """{"name":"x"}""", shop.Analyst)).Text("id");
        var admin = (await shop.AsAdminAsync("GET", "/auth/me")).Text("id");
        var faults = new List<string>();
        var steps = Steps.Concat(TextSteps(shop)).ToList();
        foreach (var step in steps)
        {
            if (step.Route.EndsWith("{sessionId}", StringComparison.Ordinal)) names["session"] = await SessionAsync(shop, names["user"]);
            if (step.Route == "/api/users/{id}/sessions") await SessionAsync(shop, names["user"]);
            if (await FaultAsync(shop, step, names, admin) is { } fault) faults.Add($"{step.Method} {step.Route}: {fault}");
        }

        var used = steps.Select(step => $"{step.Method} {step.Route}").ToHashSet(StringComparer.Ordinal);
        faults.AddRange(Changes(shop.Server.Services).Where(route => !used.Contains(route) && !Besides.ContainsKey(route) && !route.EndsWith("/preview", StringComparison.Ordinal)).Select(route => $"{route}: use it in Steps, so that its audit is looked at"));
        faults.ShouldBeEmpty();
    }

    /// <summary>Texts for people and agents that admins may put in the place of ours: set, back, and away.</summary>
    internal static IEnumerable<Step> TextSteps(Shop shop) =>
        from route in Changes(shop.Server.Services)
        where route.EndsWith("-template", StringComparison.Ordinal) && route.StartsWith("PUT ", StringComparison.Ordinal)
        let path = route[4..]
        from step in (Step[])[new("PUT", path, Body: """{"content":"one"}"""), new("PUT", path, Body: """{"content":"two"}"""), new("POST", $"{path}/restore"), new("DELETE", path)]
        select step;

    private static async Task<string?> FaultAsync(Shop shop, Step step, Dictionary<string, string> names, string admin)
    {
        string Fill(string text) => names.Aggregate(text, (filled, pair) => filled.Replace($"{{{pair.Key}}}", pair.Value, StringComparison.Ordinal));
        var before = (await shop.Server.AuditAsync()).Count;
        var answer = await SendAsync(shop, step, Fill(step.Path ?? step.Route), step.Body is null ? null : Fill(step.Body));
        if (answer.Status is < 200 or > 299) return $"{answer.Status}: {answer.Body}";
        if (step.Id is { } id) names[id] = answer.Text(id == "run" ? "run_id" : "id");
        var rows = (await shop.Server.AuditAsync()).Skip(before).ToList();
        if (rows.Count == 0) return "left nothing in the audit log";
        if (rows.All(row => row.UserId != admin)) return $"not under the admin's id: {string.Join(", ", rows)}";
        var parameters = rows.First(row => row.UserId == admin).Params is { } text ? JsonNode.Parse(text)!.AsObject() : [];
        return parameters["ip"] is null || parameters["request_id"]?.GetValue<string>() != answer.Header("x-request-id") ? $"without address and request: {parameters.ToJsonString()}" : null;
    }

    internal static Task<Answer> SendAsync(Shop shop, Step step, string path, string? body) => shop.Server.SendAsync(step.Method, path, body is not null && body.StartsWith("{name:", StringComparison.Ordinal) ? null : body, shop.Admin, request =>
    {
        if (body is not null && body.StartsWith("{name:", StringComparison.Ordinal))
        {
            var file = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            file.Headers.ContentType = new MediaTypeHeaderValue("application/yaml");
            request.Content = new MultipartFormDataContent { { file, "file", "c/x.yml" } };
        }
    });

    /// <summary>Of a sign-in of the new user's.</summary>
    internal static async Task<string> SessionAsync(Shop shop, string user)
    {
        await shop.Server.SignInAsync("new@example.com", "correct horse");
        var sessions = (await shop.AsAdminAsync("GET", $"/api/users/{user}/sessions")).Json;
        return (sessions as JsonArray ?? sessions["sessions"]!.AsArray())[0]!["id"]!.GetValue<string>();
    }

    private static IEnumerable<string> Changes(IServiceProvider services) =>
        from route in services.GetServices<EndpointDataSource>().Concat([services.GetRequiredService<EndpointDataSource>()]).SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Distinct()
        where route.Metadata.GetMetadata<EndpointAccess>() is EndpointAccess.AdminAccess && route.Metadata.GetMetadata<ReadingUse>() is null
        from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
        where method is not ("GET" or "HEAD" or "OPTIONS")
        select $"{method} /{route.RoutePattern.RawText!.Trim('/')}";

    internal sealed record Step(string Method, string Route, string? Path = null, string? Body = null, string? Id = null);
}
