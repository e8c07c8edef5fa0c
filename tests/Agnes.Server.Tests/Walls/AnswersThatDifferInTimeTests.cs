using System.Diagnostics;
using System.Text.Json.Nodes;
using Agnes.Emulators.Smtp;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>How long an answer takes does not say whether an address belongs to somebody.</summary>
public sealed class AnswersThatDifferInTimeTests(Postgres postgres)
{
    private const string Stranger = "nobody@example.com";
    private const string WithoutPassword = "ivy@example.com";
    private const int Pairs = 40;
    private const int RoundsMax = 3;

    /// <summary>How much more often than not one of the two is slower: by chance that happens once in a hundred thousand rounds.</summary>
    private const double ShareMax = 0.3;
    private static readonly TimeSpan DifferenceMin = TimeSpan.FromMilliseconds(1);

    /// <summary>Every public endpoint that takes an address, and an address that it would do something about.</summary>
    private static readonly Ask[] Asks =
    [
        new("/auth/token", email => Json(email, ("password", "wrong"))),
        new("/auth/password/login", email => Json(email, ("password", "wrong"))),
        new("/auth/password/login/web", email => Form(email, "&password=wrong")),
        new("/auth/password/setup", email => Json(email, ("password", "a long enough one"), ("token", "wrong"))) { Known = WithoutPassword },
        new("/auth/password/setup/confirm", email => Form(email, "&token=wrong&password=a+long+enough+one&confirm_password=a+long+enough+one")) { Known = WithoutPassword },
        new("/auth/password/reset/confirm", email => Form(email, "&token=wrong&password=a+long+enough+one&confirm_password=a+long+enough+one")),
        new("/auth/password/reset", email => Form(email, "")) { Mails = true },
        new("/auth/password/setup/request", email => Form(email, "")) { Known = WithoutPassword, Mails = true },
        new("/auth/email/send-link", email => Json(email)) { Mails = true },
        new("/auth/email/send-link/web", email => Form(email, "")) { Mails = true },
        new("/auth/email/verify", email => Json(email, ("token", "wrong"))),
        new("/auth/email/verify/web", email => Form(email, "&token=wrong")),
    ];

    /// <summary>Public, and about no account that somebody names: the first admin's is made once, before there is any.</summary>
    private static readonly string[] WithoutAddress = ["/auth/bootstrap", "/auth/logout", "/api/desktop/refresh", "/webhooks/jira", "/api/jira/webhook", "/webhooks/in/{connection}"];

    [Fact]
    [Long]
    public async Task No_public_endpoint_takes_longer_for_an_address_that_it_knows()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(smtp);
        foreach (var ask in Asks) await RoundAsync(server, ask, 3); // whatever is made when first used
        var told = new List<string>();
        foreach (var ask in Asks)
        {
            var fault = Fault(ask, await RoundAsync(server, ask, Pairs));
            for (var round = 1; round < RoundsMax && fault is not null; round++) fault = Fault(ask, await RoundAsync(server, ask, Pairs));
            if (fault is not null) told.Add(fault);
        }

        told.ShouldBeEmpty();
    }

    /// <summary>The same without a clock: what depends on the account wants to write, and nothing can be written.</summary>
    [Fact]
    public async Task Who_asks_for_a_link_is_answered_before_anything_about_the_account_is_done()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(smtp);
        var (begun, release) = (new TaskCompletionSource(), new TaskCompletionSource());
        var holding = server.State.WriteAsync(async _ =>
        {
            begun.SetResult();
            await release.Task;
        });
        await begun.Task;
        try
        {
            foreach (var ask in Asks.Where(ask => ask.Mails))
            {
                foreach (var email in (string[])[ask.Known, Stranger]) (await server.SendAsync("POST", ask.Path, ask.Body(email)).WaitAsync(TimeSpan.FromSeconds(20))).Status.ShouldBeOneOf(200, 302);
            }

            smtp.TryNext().ShouldBeNull();
        }
        finally
        {
            release.SetResult();
            await holding;
        }

        for (var mails = 0; mails < Asks.Count(ask => ask.Mails); mails++) (await smtp.NextAsync()).Text.ShouldContain("token=");
    }

    [Fact]
    public async Task What_was_asked_for_is_mailed_although_the_server_stops()
    {
        await using var smtp = SmtpServer.Start();
        await using (var server = await StartAsync(smtp))
        {
            (await server.SendAsync("POST", "/auth/email/send-link", Json(TestServer.AdminEmail))).Status.ShouldBe(200);
        }

        (await smtp.NextAsync()).Subject.ShouldBe("Login Link");
    }

    [Fact]
    public async Task Every_public_endpoint_that_takes_something_is_compared_or_known_to_take_no_address()
    {
        await using var smtp = SmtpServer.Start();
        await using var server = await StartAsync(smtp);
        server.Services.GetServices<EndpointDataSource>().Concat([server.Services.GetRequiredService<EndpointDataSource>()]).SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
            .Where(route => route.Metadata.GetMetadata<EndpointAccess>() is EndpointAccess.PublicAccess && route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("POST") == true)
            .Select(route => "/" + route.RoutePattern.RawText!.Trim('/')).Distinct(StringComparer.Ordinal)
            .ShouldBe(Asks.Select(ask => ask.Path).Concat(WithoutAddress), ignoreOrder: true);
    }

    private async Task<TestServer> StartAsync(SmtpServer smtp)
    {
        var sender = new MailOptions.SmtpOptions { Host = "127.0.0.1", Port = smtp.Port, Security = MailOptions.MailSecurity.None, From = new MailSender("agnes@example.com", null) };
        var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { RateLimits = true, SignIn = new SignInOptions { Mail = new MailOptions(sender, null) } });
        (await server.SendAsync("POST", "/api/users", $$"""{"email":"{{WithoutPassword}}","name":"Ivy"}""", await server.SignInAsync())).Status.ShouldBe(201);
        return server;
    }

    /// <summary>Both addresses, time and again, in an order that nothing else on the machine keeps step with.</summary>
    private static async Task<(double[] Known, double[] Strangers)> RoundAsync(TestServer server, Ask ask, int pairs)
    {
        var (known, strangers) = (new double[pairs], new double[pairs]);
        var order = new Random(1);
        for (var pair = 0; pair < pairs; pair++)
        {
            server.Time.Advance(TimeSpan.FromHours(25)); // every limit and every wait is over
            var knownFirst = order.Next(2) == 0;
            for (var turn = 0; turn < 2; turn++)
            {
                var isKnown = turn == 0 == knownFirst;
                var watch = Stopwatch.StartNew();
                (await server.SendAsync("POST", ask.Path, ask.Body(isKnown ? ask.Known : Stranger))).Status.ShouldBeInRange(200, 401);
                (isKnown ? known : strangers)[pair] = watch.Elapsed.TotalMilliseconds;
            }
        }

        return (known, strangers);
    }

    /// <summary>
    /// By ranks, which a few slow answers on a busy machine do not move, and by a difference that could be measured from afar.
    /// </summary>
    private static string? Fault(Ask ask, (double[] Known, double[] Strangers) times)
    {
        var slower = times.Known.Sum(known => times.Strangers.Sum(stranger => known > stranger ? 1 : known < stranger ? 0 : 0.5)) / (times.Known.Length * times.Strangers.Length);
        var (known, strangers) = (Median(times.Known), Median(times.Strangers));
        return Math.Abs(slower - 0.5) > ShareMax && Math.Abs(known - strangers) > DifferenceMin.TotalMilliseconds
            ? $"{ask.Path}: known {known:0.0} ms, unknown {strangers:0.0} ms; known is slower in {slower:P0}"
            : null;
    }

    private static double Median(double[] times) => times.Order().ElementAt(times.Length / 2);

    private static string Json(string email, params (string Key, string Value)[] more)
    {
        var body = new JsonObject { ["email"] = email };
        foreach (var (key, value) in more) body[key] = value;
        return body.ToJsonString();
    }

    private static string Form(string email, string more) => $"email={Uri.EscapeDataString(email)}{more}";

    private sealed record Ask(string Path, Func<string, string> Body)
    {
        public string Known { get; init; } = TestServer.AdminEmail;

        public bool Mails { get; init; }
    }
}
