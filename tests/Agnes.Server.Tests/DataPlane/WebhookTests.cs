using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What a source sends by itself reaches its kind whole and proven, and nothing else does.</summary>
public sealed class WebhookTests(Postgres postgres)
{
    private const string Address = "/webhooks/bell";

    [Fact]
    public async Task Only_what_the_source_has_signed_is_taken()
    {
        var kind = new BellKind();
        await using var server = await StartAsync(kind);
        (await SendAsync(server, """{"rings":1}""", sign: true)).Status.ShouldBe(503, "without a secret nobody's word counts");
        kind.Secret = "a secret";
        var taken = await SendAsync(server, """{"rings":1}""", sign: true);
        (taken.Status, taken.Body).ShouldBe((200, """{"status":"ok","rings":1}"""));
        (await SendAsync(server, """{"rings":2}""", sign: false)).Body.ShouldContain("Invalid signature");
        (await SendAsync(server, """{"rings":2}""", sign: true, tamper: true)).Status.ShouldBe(401);
        (await SendAsync(server, "[", sign: true)).Status.ShouldBe(400, "what is wrong with a body is said to its source alone");
        (await SendAsync(server, "[", sign: false)).Status.ShouldBe(401);
        kind.Taken.ShouldBe([1]);

        var audit = (await server.AuditAsync()).Where(row => row.Action == "webhook").ToList();
        audit.Select(row => row.Result).ShouldBe(["InvalidSignature", "InvalidSignature", "Refused", "InvalidSignature"]);
        audit.ShouldAllBe(row => row.Resource == "source:bell");
        (await server.SendAsync("POST", "/webhooks/keboola", "{}")).Status.ShouldBe(405, "a kind that takes nothing has no address");
    }

    [Fact]
    public async Task A_delivery_may_be_large_but_not_without_end_and_guesses_are_counted()
    {
        var kind = new BellKind { Secret = "a secret" };
        await using var server = await StartAsync(kind);
        (await SendAsync(server, $$"""{"rings":3,"text":"{{new string('x', 900_000)}}"}""", sign: true)).Status.ShouldBe(200);
        (await SendAsync(server, $$"""{"rings":4,"text":"{{new string('x', 1_100_000)}}"}""", sign: true)).Status.ShouldBe(413);
        for (var i = 0; i < 60; i++) (await SendAsync(server, "{}", sign: false)).Status.ShouldBe(401);
        (await SendAsync(server, "{}", sign: false)).Status.ShouldBe(429);
        (await SendAsync(server, """{"rings":5}""", sign: true)).Status.ShouldBe(200);
        kind.Taken.ShouldBe([3, 5]);
    }

    private Task<TestServer> StartAsync(BellKind kind)
    {
        var kinds = new SourceKinds([.. SourceList.All, kind]);
        return TestServer.StartAsync(
            StateEngine.DuckDb, postgres, options => options with { RateLimits = true }, services => services.Replace(ServiceDescriptor.Singleton(kinds)));
    }

    private static Task<Answer> SendAsync(TestServer server, string body, bool sign, bool tamper = false)
    {
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData("a secret"u8, Encoding.UTF8.GetBytes(body)));
        return server.SendAsync("POST", Address, tamper ? body.Replace('2', '3') : body, change: request =>
        {
            if (sign) request.Headers.Add(BellKind.Header, $"sha256={signature}");
        });
    }

    /// <summary>A source that rings, and signs that it did.</summary>
    private sealed class BellKind : SourceKind, IReceiver
    {
        public const string Header = "X-Hub-Signature-256";

        public override string Name => "bell";

        public override string Title => "A bell";

        public override IReceiver Receiver => this;

        public string? Secret { get; set; }

        public List<int> Taken { get; } = [];

        public string? NotSetUp(IServiceProvider services) => Secret is null ? "Webhook secret not configured" : null;

        public bool IsGenuine(Delivery delivery, IServiceProvider services)
        {
            var expected = Encoding.ASCII.GetBytes($"sha256={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret!), delivery.Body.Span))}");
            return CryptographicOperations.FixedTimeEquals(expected, Encoding.UTF8.GetBytes(delivery.Headers[Header].ToString()));
        }

        public Task<IResult> TakeAsync(Delivery delivery, IServiceProvider services, CancellationToken stop)
        {
            try
            {
                var rings = JsonNode.Parse(delivery.Body.Span)!["rings"]!.GetValue<int>();
                Taken.Add(rings);
                return Task.FromResult(JsonBody.Of(new JsonObject { ["status"] = "ok", ["rings"] = rings }));
            }
            catch (System.Text.Json.JsonException)
            {
                return Task.FromResult(Problem.Detail(StatusCodes.Status400BadRequest, "Invalid JSON payload"));
            }
        }
    }
}
