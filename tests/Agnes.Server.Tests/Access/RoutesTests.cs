using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Access;

[Collection("world")]
public sealed class RoutesTests(Worlds worlds, Postgres postgres)
{
    /// <summary>What anybody may call without saying who they are. A route that is added here is a decision to be seen in a review.</summary>
    private static readonly string[] OpenPrefixes = ["/auth/", "/login", "/api/health", "/api/version", "/api/sync/status", "/static/", "/dist/", "/_content/", "/first-time-setup", "/favicon", "/cli/", "/setup", "/install", "/api/desktop/refresh", "/webhooks/", "/api/jira/webhook"];

    [Fact]
    public async Task Every_route_declares_who_may_call_it()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        Routes(world.Server.Services).Where(route => route.Metadata.GetMetadata<EndpointAccess>() is null).Select(Name).ShouldBeEmpty();
    }

    [Fact]
    public async Task Only_the_known_routes_are_public()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        Routes(world.Server.Services)
            .Where(route => route.Metadata.GetMetadata<EndpointAccess>() is EndpointAccess.PublicAccess)
            .Select(route => "/" + route.RoutePattern.RawText!.TrimStart('/'))
            .Where(path => path != "/" && !path.Contains('.') && !OpenPrefixes.Any(prefix => path.StartsWith(prefix, StringComparison.Ordinal)))
            .ShouldBeEmpty();
    }

    [Fact]
    public async Task A_guest_gets_no_answer_from_any_route_that_is_not_public()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var faults = new List<string>();
        foreach (var route in Routes(world.Server.Services).Where(route => route.Metadata.GetMetadata<EndpointAccess>() is not EndpointAccess.PublicAccess))
        {
            var path = "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part =>
                part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : "orders"))));
            foreach (var method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"])
            {
                var answer = await world.Server.SendAsync(method, path);
                var refused = answer.Status == 401 || (answer.Status == 302 && answer.Header("Location")!.StartsWith("/login?next=", StringComparison.Ordinal));
                if (!refused) faults.Add($"{method} {path}: {answer.Status}");
            }
        }

        faults.ShouldBeEmpty();
    }

    /// <summary>With the cookie of an admin, who may do everything: so what is refused is refused for where it comes from.</summary>
    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site", null)]
    [InlineData("Sec-Fetch-Site", "same-site", "Basic YTpi")]
    [InlineData("Origin", "https://evil.example.com", null)]
    [InlineData("Origin", "null", "Basic YTpi")]
    public async Task No_route_lets_another_sites_page_change_anything(string header, string value, string? authorization)
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var session = world.TokenOf(Principal.Admin);
        var (faults, asked) = (new List<string>(), 0);
        foreach (var route in Routes(world.Server.Services))
        {
            foreach (var method in (route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []).Where(method => method is not ("GET" or "HEAD" or "OPTIONS")))
            {
                asked++;
                var path = "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part =>
                    part is Microsoft.AspNetCore.Routing.Patterns.RoutePatternLiteralPart literal ? literal.Content : "none"))));
                var answer = await world.Server.SendAsync(method, path, "{}", change: request =>
                {
                    request.Headers.Add("Cookie", $"access_token={session}");
                    request.Headers.Add(header, value);
                    if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
                });
                if (answer.Status != 403 || !answer.Body.Contains("Cross-site requests are refused", StringComparison.Ordinal)) faults.Add($"{method} {path}: {answer.Status}");
            }
        }

        faults.ShouldBeEmpty();
        asked.ShouldBeGreaterThan(50);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_page_that_is_not_there()
    {
        var answer = await (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server.SendAsync("GET", "/dist/none.js");
        (answer.Status, answer.Body).ShouldBe((404, """{"detail":"Page not found"}"""));
    }

    [Fact]
    public async Task A_long_answer_ends_when_its_asker_is_no_longer_allowed()
    {
        var server = await worlds.ProbesAsync(postgres);
        var made = await server.SendAsync("POST", "/auth/tokens", """{"name":"watcher"}""", await server.SignInAsync());
        var watching = server.SendAsync("GET", "/api/watch/anything", token: made.Text("token"));
        await Task.Delay(200);
        watching.IsCompleted.ShouldBeFalse();
        (await server.SendAsync("DELETE", $"/auth/tokens/{made.Text("id")}", token: made.Text("token"))).Status.ShouldBe(204);
        (await watching.WaitAsync(TimeSpan.FromSeconds(30))).Body.ShouldBe("\"ended\"");
    }

    [Fact]
    public async Task A_route_without_a_declaration_is_closed_to_everybody()
    {
        var server = await worlds.ProbesAsync(postgres);
        var answer = await server.SendAsync("GET", "/api/forgotten", token: await server.SignInAsync());
        answer.Status.ShouldBe(403);
        answer.Body.ShouldNotContain(Probes.Secret);
    }

    [Fact]
    public async Task The_description_of_the_api_lists_every_route_with_what_it_needs()
    {
        var world = await worlds.OnAsync(StateEngine.DuckDb, postgres);
        var answer = await world.AsAdminAsync("GET", "/openapi/v1.json");
        var paths = answer.Json["paths"]!.AsObject();
        var missing =
            from route in Routes(world.Server.Services)
            where route.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true } // pages
            where route.RoutePattern.RawText is { } text && (text.StartsWith("/api/", StringComparison.Ordinal) || text.StartsWith("/auth/", StringComparison.Ordinal))
            let path = route.RoutePattern.RawText!.TrimEnd('/').Replace("{**", "{", StringComparison.Ordinal)
            from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? []
            where method != "HEAD" && paths[path]?[method.ToLowerInvariant()] is null
            select $"{method} {path}";
        missing.ShouldBeEmpty();
        paths["/api/users"]!["get"]!["description"]!.GetValue<string>().ShouldStartWith("Access: admin.");
        (await world.Server.SendAsync("GET", "/openapi/v1.json")).Status.ShouldBe(401);
    }

    private static IEnumerable<RouteEndpoint> Routes(IServiceProvider services) =>
        services.GetServices<EndpointDataSource>().Concat([services.GetRequiredService<EndpointDataSource>()]).SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Distinct();

    private static string Name(RouteEndpoint route) => $"{string.Join(' ', route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [])} {route.RoutePattern.RawText}";
}
