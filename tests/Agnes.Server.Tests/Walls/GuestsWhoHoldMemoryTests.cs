using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Text;
using Agnes.Server.Features.Sources.Webhooks;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.DataPlane.Events;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>Whoever has not said who they are holds little of the server, and not for long: bytes of bodies, time, connections.</summary>
public sealed class GuestsWhoHoldMemoryTests(Worlds worlds, Postgres postgres)
{
    private const int Tricklers = 300;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    /// <summary>Public endpoints without a body that change nothing for a guest: there is nothing to count.</summary>
    private static readonly string[] Uncounted = ["/auth/logout"];

    /// <summary>An address that stands for one caller, which this machine's own does not.</summary>
    private const string Caller = "203.0.113.5";

    [Fact]
    public async Task No_public_endpoint_takes_more_than_8_KiB_whatever_it_does_with_it()
    {
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres);
        var (faults, asked) = (new List<string>(), 0);
        foreach (var (method, path) in PublicRoutes(server).Where(route => route.Method is not ("GET" or "HEAD" or "OPTIONS")))
        {
            // A delivery is larger; 64 of at most 1 MiB are held at once, which WebhookTests sees to.
            if (path.Contains("webhook", StringComparison.Ordinal)) continue;

            asked++;
            var announced = await server.SendAsync(method, path, new string('x', LimitOptions.PublicBodyBytesMax + 1));
            if (announced.Status != 413) faults.Add($"{method} {path}: {announced.Status}");
            if ((await server.SendAsync(method, path, new string('x', LimitOptions.PublicBodyBytesMax))).Status == 413) faults.Add($"{method} {path}: 8 KiB are refused");
        }

        faults.ShouldBeEmpty();
        asked.ShouldBeGreaterThan(12);

        // And of one that does not say how long it is, no more than that is read.
        var endless = await server.SendAsync("POST", "/auth/token", "{}", change: request =>
        {
            request.Content = new StringContent($$"""{"email":"{{new string('x', LimitOptions.PublicBodyBytesMax)}}","password":"x"}""", Encoding.UTF8, "application/json");
            request.Headers.TransferEncodingChunked = true;
        });
        endless.Status.ShouldBe(413);
    }

    [Fact]
    public async Task Sign_ins_whose_bodies_trickle_are_all_cut_after_their_time()
    {
        await using var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { PublicBodyTime = TimeSpan.FromSeconds(1) } });
        using var stop = new CancellationTokenSource(Soon);
        var all = Enumerable.Range(0, Tricklers).Select(i => TrickleAsync(server, $"{(i % 2 == 0 ? "/auth/token" : "/auth/password/login/web")}", announced: i % 3 == 0 ? 1 << 20 : 8_190, stop.Token)).ToList();
        var statuses = await Task.WhenAll(all);
        statuses.Where((_, i) => i % 3 == 0).ShouldAllBe(status => status == 413);
        statuses.Where((_, i) => i % 3 != 0).ShouldAllBe(status => status == 408);
        (await server.SendAsync("GET", "/api/health")).Status.ShouldBe(200);
    }

    /// <summary>A delivery has one of 64 places while its body arrives.</summary>
    [Fact]
    public async Task Deliveries_that_trickle_are_cut_and_soon_their_sender_gets_no_place_any_more()
    {
        var variables = new Dictionary<string, string> { ["JIRA_WEBHOOK_SECRET"] = JiraDeliveries.Secret };
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with
        {
            RateLimits = true,
            TrustedProxies = TestServer.ThisMachine,
            Limits = options.Limits with { PublicBodyTime = TimeSpan.FromSeconds(2) },
            Variables = name => variables.GetValueOrDefault(name) ?? options.Variables(name),
        });
        using var stop = new CancellationTokenSource(Soon);
        server.Time.AdvanceToNextMinute();
        var statuses = await Task.WhenAll(Enumerable.Range(0, Places).Select(_ => TrickleAsync(server, JiraDeliveries.Address, 8_190, stop.Token, Caller)));
        statuses.Count(status => status == 408).ShouldBe(Deliveries.GuessesPerMinuteMax);
        statuses.Count(status => status == 429).ShouldBe(Places - Deliveries.GuessesPerMinuteMax);
        var watch = Stopwatch.StartNew();
        (await TrickleAsync(server, JiraDeliveries.Address, 8_190, stop.Token, Caller)).ShouldBe(429);
        watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(2), "no body is waited for");
        (await server.DeliverAsync(JiraDeliveries.Updated("SUP-1", 101, "first", "2026-02-01T10:00:00.000+0000"))).Status.ShouldBe(200, "others have places");
    }

    [Fact]
    public async Task Whose_calls_are_used_up_is_told_so_before_the_body()
    {
        await using var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { RateLimits = true, TrustedProxies = TestServer.ThisMachine });
        for (var i = 0; i < IssueCalls; i++)
            (await server.SendAsync("POST", "/auth/token", """{"email":"nobody@example.com"}""", change: request => request.Headers.Add("X-Forwarded-For", Caller))).Status.ShouldBe(401);
        using var stop = new CancellationTokenSource(Soon);
        var watch = Stopwatch.StartNew();
        using var client = await ConnectAsync(new Uri(server.Url), stop.Token);
        await SendAsync(client, $"POST /auth/token HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {Caller}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n", stop.Token);
        (await StatusAsync(client, stop.Token)).ShouldBe(429);
        watch.Elapsed.ShouldBeLessThan(LimitDefaults.PublicBodyTime, "no byte of the body was sent");
    }

    [Fact]
    public async Task Every_public_endpoint_that_takes_something_says_how_often_before_it_listens()
    {
        var server = (await worlds.OnAsync(StateEngine.DuckDb, postgres)).Server;
        Endpoints(server).Where(route => IsPublic(route) && Methods(route).Any(method => method is not ("GET" or "HEAD" or "OPTIONS")))
            .Where(route => route.Metadata.GetMetadata<CallLimit>() is null && !Uncounted.Contains(Text(route)))
            .Select(Text).ShouldBeEmpty("a public endpoint says .PerMinute(calls) where it is mapped");
    }

    [Fact]
    public async Task One_network_takes_its_share_of_the_connections_and_not_the_others()
    {
        const int most = 6;
        await using var server = await TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { Urls = "http://0.0.0.0:0", Limits = options.Limits with { NetworkConnectionsMax = most } });
        using var stop = new CancellationTokenSource(Soon);
        var port = new Uri(server.Url).Port;
        if (OwnAddress() is not { } own) return; // a machine without a network has one network, its own
        var there = new UriBuilder("http", own.ToString(), port).Uri;
        var open = new List<TcpClient>();
        for (var i = 0; i < most * 2; i++)
        {
            if (await ServedAsync(there, stop.Token) is { } client) open.Add(client);
        }

        open.Count.ShouldBe(most);
        using (var here = await ServedAsync(new Uri($"http://127.0.0.1:{port}"), stop.Token)) here.ShouldNotBeNull();
        open[0].Dispose();
        TcpClient? next = null;
        while (next is null) next = await ServedAsync(there, stop.Token);
        open[0] = next;
        foreach (var client in open) client.Dispose();
    }

    [Fact]
    public async Task There_is_an_end_to_connections_altogether()
    {
        const int most = 16;
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { Limits = options.Limits with { ConnectionsMax = most } });
        using var stop = new CancellationTokenSource(Soon);
        var open = new List<TcpClient>();
        for (var i = 0; i < most * 2; i++)
        {
            if (await ServedAsync(new Uri(server.Url), stop.Token) is { } client) open.Add(client);
        }

        open.Count.ShouldBe(most);
        foreach (var client in open) client.Dispose();
    }

    private const int IssueCalls = 10;
    private const int Places = 64;
    private static readonly LimitOptions LimitDefaults = new();

    /// <summary>Sends a body at ten bytes a second after a first piece that makes its average a fast one, until it is answered.</summary>
    /// <param name="caller">The address that the proxy, which this is, says it has it from.</param>
    private static async Task<int> TrickleAsync(TestServer server, string path, int announced, CancellationToken stop, string? caller = null)
    {
        using var client = await ConnectAsync(new Uri(server.Url), stop);
        var type = path.EndsWith("/web", StringComparison.Ordinal) ? "application/x-www-form-urlencoded" : "application/json";
        await SendAsync(client, $"POST {path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: {caller ?? "127.0.0.1"}\r\nContent-Type: {type}\r\nContent-Length: {announced}\r\n\r\n", stop);
        var answer = StatusAsync(client, stop);
        var sending = SendSlowlyAsync();
        var status = await answer;
        client.Close();
        await sending;
        return status;

        async Task SendSlowlyAsync()
        {
            try
            {
                await SendAsync(client, "{\"email\":\"" + new string('x', 7_800), stop);
                while (!answer.IsCompleted)
                {
                    await Task.Delay(100, stop);
                    await SendAsync(client, "x", stop);
                }
            }
            catch (Exception closed) when (closed is IOException or SocketException or ObjectDisposedException or InvalidOperationException or OperationCanceledException)
            {
                // Cut: what is to be seen is its answer.
            }
        }
    }

    private static async Task<TcpClient> ConnectAsync(Uri url, CancellationToken stop)
    {
        var client = new TcpClient();
        await client.ConnectAsync(url.Host == "0.0.0.0" ? IPAddress.Loopback : IPAddress.Parse(url.Host), url.Port, stop);
        return client;
    }

    private static async Task SendAsync(TcpClient client, string text, CancellationToken stop) => await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(text), stop);

    /// <returns>A connection that was answered, and is open still.</returns>
    private static async Task<TcpClient?> ServedAsync(Uri url, CancellationToken stop)
    {
        TcpClient? client = null;
        try
        {
            client = await ConnectAsync(url, stop);
            await SendAsync(client, "GET /api/health/live HTTP/1.1\r\nHost: a\r\n\r\n", stop);
            if (await StatusAsync(client, stop) == 200) return client;
        }
        catch (Exception closed) when (closed is IOException or SocketException)
        {
            // Closed by the server: not served.
        }

        client?.Dispose();
        return null;
    }

    /// <returns>Zero where the connection ended without an answer.</returns>
    private static async Task<int> StatusAsync(TcpClient client, CancellationToken stop)
    {
        var buffer = new byte[4096];
        var read = 0;
        while (read < "HTTP/1.1 200".Length)
        {
            var more = await client.GetStream().ReadAsync(buffer.AsMemory(read), stop);
            if (more == 0) return 0;
            read += more;
        }

        return int.Parse(Encoding.ASCII.GetString(buffer, "HTTP/1.1 ".Length, 3), System.Globalization.CultureInfo.InvariantCulture);
    }

    private static IPAddress? OwnAddress() => NetworkInterface.GetAllNetworkInterfaces().Where(card => card.OperationalStatus == OperationalStatus.Up)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses).Select(address => address.Address)
        .FirstOrDefault(address => address.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(address));

    private static IEnumerable<(string Method, string Path)> PublicRoutes(TestServer server) =>
        from route in Endpoints(server)
        where IsPublic(route)
        from method in Methods(route)
        select (method, "/" + string.Join('/', route.RoutePattern.PathSegments.Select(segment => string.Concat(segment.Parts.Select(part => part is RoutePatternLiteralPart literal ? literal.Content : "none")))));

    private static IEnumerable<RouteEndpoint> Endpoints(TestServer server) => server.Services.GetServices<EndpointDataSource>()
        .Concat([server.Services.GetRequiredService<EndpointDataSource>()]).SelectMany(source => source.Endpoints).OfType<RouteEndpoint>().Distinct();

    private static bool IsPublic(RouteEndpoint route) => route.Metadata.GetMetadata<EndpointAccess>() is EndpointAccess.PublicAccess;

    private static IReadOnlyList<string> Methods(RouteEndpoint route) => route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"];

    private static string Text(RouteEndpoint route) => "/" + route.RoutePattern.RawText!.Trim('/');
}
