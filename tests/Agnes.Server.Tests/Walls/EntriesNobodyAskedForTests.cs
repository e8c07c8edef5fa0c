using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.Walls;

/// <summary>What the server notes by itself about somebody's calls is bounded whatever they vary: the address, the rate, the result.</summary>
public sealed class EntriesNobodyAskedForTests(Postgres postgres)
{
    private const string FirstUse = "token.first_use_new_ip";
    private static readonly LimitOptions Limits = new();

    [Fact]
    public async Task A_token_that_is_used_from_everywhere_leaves_a_few_entries_a_minute_and_none_for_calls_that_were_refused()
    {
        const int rate = 10;
        const int burst = rate * 6;
        await using var server = await StartAsync(Limits with { CallsPerSecond = rate, RefusalsStored = 1_000 });
        var token = (await server.SendAsync("POST", "/auth/tokens", """{"name":"ci"}""", await server.SignInAsync())).Text("token");
        var statuses = new List<int>();
        for (var number = 0; number < 4 * burst; number++) statuses.Add(await UseAsync(server, token, $"20.1.{number % 250}.1"));
        statuses.ShouldContain(429);
        (await FirstUsesAsync(server)).ShouldBeLessThan(statuses.Count(status => status == 200), "only what was let through is a use");

        await using var bounded = await StartAsync(Limits with { CallsPerSecond = 0 });
        token = (await bounded.SendAsync("POST", "/auth/tokens", """{"name":"ci"}""", await bounded.SignInAsync())).Text("token");
        bounded.Time.Advance(TimeSpan.FromSeconds(61 - bounded.Time.GetUtcNow().Second));
        for (var number = 0; number < 100; number++) (await UseAsync(bounded, token, $"20.1.{number}.1")).ShouldBe(200);
        (await FirstUsesAsync(bounded)).ShouldBe(Limits.RefusalsStored);
        bounded.Time.Advance(TimeSpan.FromMinutes(1));
        await bounded.Services.GetRequiredService<AuditLog>().WriteCountsAsync(all: false, CancellationToken.None);
        (await bounded.AuditAsync()).ShouldContain(row => row.Action == AuditLog.CountedAction && row.Params!.Contains(FirstUse, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("20.1.2.{0}")]
    [InlineData("2600:1:2:3::{0}")]
    public async Task All_addresses_of_one_network_are_one(string addresses)
    {
        await using var server = await StartAsync(Limits with { CallsPerSecond = 0, RefusalsStored = 1_000 });
        var token = (await server.SendAsync("POST", "/auth/tokens", """{"name":"ci"}""", await server.SignInAsync())).Text("token");
        (await UseAsync(server, token, "20.9.9.9")).ShouldBe(200);
        for (var number = 1; number < 50; number++) (await UseAsync(server, token, addresses.Replace("{0}", $"{number}", StringComparison.Ordinal))).ShouldBe(200);
        (await FirstUsesAsync(server)).ShouldBe(1);
    }

    /// <summary>Not a few: whoever asks much more than others must not hide by it what they read.</summary>
    [Fact]
    public void Answers_get_an_entry_as_often_as_the_rate_of_calls_lets_them_and_are_counted_beyond_it_and_beside_refusals()
    {
        const int answers = 3_300;
        var counts = new RefusalCounts(Limits.RefusalsStored, answers);
        var now = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);
        var origin = new AuditOrigin("20.1.1.1", "r") { CallerId = "ana" };
        int Stored(bool isAnswer) => Enumerable.Range(0, 2 * answers).Count(_ => counts.Stores(origin, "ana", "query", now, isAnswer));
        (Stored(isAnswer: false), Stored(isAnswer: true)).ShouldBe((Limits.RefusalsStored, answers));
        counts.Take(now.AddMinutes(1), all: false).Sum(counted => counted.Count).ShouldBe((4 * answers) - answers - Limits.RefusalsStored);
    }

    private Task<TestServer> StartAsync(LimitOptions limits) =>
        TestServer.StartAsync(StateEngine.DuckDb, postgres, options => options with { TrustedProxies = TestServer.ThisMachine, Limits = limits });

    private static async Task<int> UseAsync(TestServer server, string token, string address) =>
        (await server.SendAsync("GET", "/auth/tokens", token: token, change: request => request.Headers.Add("X-Forwarded-For", address))).Status;

    private static async Task<int> FirstUsesAsync(TestServer server) => (await server.AuditAsync()).Count(row => row.Action == FirstUse);
}
