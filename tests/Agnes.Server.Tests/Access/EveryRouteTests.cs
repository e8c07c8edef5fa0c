using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Access;

/// <summary>
/// Every route that exists, asked by everybody: a guest, a revoked token, a deactivated user, an analyst without and one with a grant on the table, an admin. What each must get stands in
/// EveryRoute.txt; a route that has no line there fails.
/// </summary>
public sealed class EveryRouteTests(Postgres postgres)
{
    private const string Hidden = "salaries";
    private const int BodyCharsMax = 1 << 16;
    private static readonly string[] Askers = ["guest", "revoked", "left", "without", "with", "admin"];

    [Fact]
    public async Task Everybody_gets_from_every_route_what_was_declared()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        var tokens = await TokensAsync(shop);
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = new Uri(shop.Server.Url) };
        var declared = Declared();
        var values = Values(shop);
        var faults = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var ending = new List<Func<Task>>();
        foreach (var (method, route) in Routes(shop.Server.Services))
        {
            var name = $"{method} {Text(route)}";
            seen.Add(name);
            if (!declared.TryGetValue(name, out var line))
            {
                faults.Add($"{name}: there is no line in tests/Agnes.Server.Tests/Access/EveryRoute.txt; say there who gets what");
                continue;
            }

            Func<Task> ask = async () =>
            {
                for (var i = 0; i < Askers.Length; i++)
                {
                    if (await FaultAsync(client, method, Path(route, values), line, i, tokens[i]) is { } fault) faults.Add($"{name}, asked by {Askers[i]}: {fault}");
                }
            };

            // What ends sessions comes last, or nobody could ask on.
            if (line.Last) ending.Add(ask);
            else await ask();
        }

        // The narrower end of a session would leave nobody to ask for the wider one.
        foreach (var ask in Enumerable.Reverse(ending)) await ask();
        faults.AddRange(declared.Keys.Where(name => !seen.Contains(name)).Select(name => $"{name}: the line is there, the route is not"));
        faults.ShouldBeEmpty();
    }

    private static async Task<string?> FaultAsync(HttpClient client, string method, string path, Line line, int asker, string? token)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        if (line.Body is { } body) request.Content = new StringContent(body, Encoding.UTF8, body[0] is '{' or '[' ? "application/json" : "application/x-www-form-urlencoded");
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var status = (int)response.StatusCode;
        var text = response.Content.Headers.ContentType?.MediaType == "text/event-stream" ? "" : await TextAsync(response);
        if (status != line.Status[asker]) return $"{status} instead of {line.Status[asker]}: {text[..Math.Min(300, text.Length)]}";
        // Who sends is not who signs in: all are answered alike that they have proven nothing.
        if (path.StartsWith("/webhooks/", StringComparison.Ordinal)) return null;
        var refusal = asker switch { 1 => "Token revoked", 2 => "Account deactivated", _ => null };
        if (status == 401 && refusal is not null && !text.Contains(refusal, StringComparison.Ordinal)) return $"'{refusal}' is missing in {text}";
        return asker < Askers.Length - 1 && text.Contains(Hidden, StringComparison.OrdinalIgnoreCase) ? $"'{Hidden}' leaked in {text}" : null;
    }

    private static async Task<string> TextAsync(HttpResponseMessage response)
    {
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        var buffer = new char[BodyCharsMax];
        return new string(buffer, 0, await reader.ReadBlockAsync(buffer));
    }

    /// <summary>Sessions where the route could tell a session from a token, and a revoked token.</summary>
    private static async Task<string?[]> TokensAsync(Shop shop)
    {
        async Task<string> UserAsync(string email)
        {
            var id = (await shop.AsAdminAsync("POST", "/api/users", new JsonObject { ["email"] = email, ["name"] = "x" }.ToJsonString())).Text("id");
            (await shop.AsAdminAsync("POST", $"/api/users/{id}/set-password", """{"password":"correct horse"}""")).Status.ShouldBe(204);
            return id;
        }

        var leaver = await UserAsync("lee@example.com");
        var left = await shop.Server.SignInAsync("lee@example.com", "correct horse");
        (await shop.AsAdminAsync("POST", $"/api/users/{leaver}/deactivate")).Status.ShouldBe(200);
        await UserAsync("ben@example.com");
        var without = await shop.Server.SignInAsync("ben@example.com", "correct horse");
        var lost = await shop.Server.SendAsync("POST", "/auth/tokens", """{"name":"lost"}""", shop.Analyst);
        (await shop.Server.SendAsync("DELETE", $"/auth/tokens/{lost.Text("id")}", token: shop.Analyst)).Status.ShouldBe(204);
        return [null, lost.Text("token"), left, without, shop.Analyst, shop.Admin];
    }

    /// <summary>What stands for a route's parameters; everything else is <c>none</c>, which does not exist.</summary>
    internal static Dictionary<string, string> Values(Shop shop)
    {
        var version = shop.Server.State.Snapshot.PublishedTable("Orders")!;
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["table_id"] = "orders",
            ["table"] = "orders",
            ["table_name"] = "orders",
            ["parts_digest"] = version.PartsDigest,
            ["sha256"] = version.Parts[0].Sha256,
        };
    }

    internal static string Path(RouteEndpoint route, Dictionary<string, string> values) => "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part switch
    {
        RoutePatternLiteralPart literal => literal.Content,
        RoutePatternSeparatorPart separator => separator.Content,
        RoutePatternParameterPart parameter => values.GetValueOrDefault(parameter.Name, "none"),
        _ => "",
    }))));

    internal static string Text(RouteEndpoint route) => "/" + route.RoutePattern.RawText!.Trim('/');

    internal static IEnumerable<(string Method, RouteEndpoint Route)> Routes(IServiceProvider services) =>
        from route in services.GetServices<EndpointDataSource>().Concat([services.GetRequiredService<EndpointDataSource>()]).SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Distinct()
        where !IsFile(route)
        from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]
        where method != "HEAD"
        orderby Text(route), method
        select (method, route);

    /// <summary>Scripts, styles and fonts: public, and each under a name with its hash.</summary>
    private static bool IsFile(RouteEndpoint route) => ((string[])["/dist/", "/static/", "/_content/", "/_framework/", "/favicon"]).Any(prefix => Text(route).StartsWith(prefix, StringComparison.Ordinal)) || Text(route).EndsWith(".css", StringComparison.Ordinal);

    /// <summary><c>METHOD /route guest revoked left without with admin [last] [body]</c></summary>
    private static Dictionary<string, Line> Declared()
    {
        using var reader = new StreamReader(typeof(EveryRouteTests).Assembly.GetManifestResourceStream("EveryRoute.txt")!);
        var lines = new Dictionary<string, Line>(StringComparer.Ordinal);
        while (reader.ReadLine() is { } text)
        {
            if (text.Length == 0 || text[0] == '#') continue;
            var words = text.Split(' ', 2 + Askers.Length + 1, StringSplitOptions.RemoveEmptyEntries);
            var rest = words.Length > 2 + Askers.Length ? words[^1].Trim() : "";
            var last = rest.StartsWith("last", StringComparison.Ordinal);
            if (last) rest = rest[4..].Trim();
            lines.Add($"{words[0]} {words[1]}", new Line([.. words[2..(2 + Askers.Length)].Select(int.Parse)], rest.Length == 0 ? null : rest, last));
        }

        return lines;
    }

    private sealed record Line(int[] Status, string? Body, bool Last);
}
