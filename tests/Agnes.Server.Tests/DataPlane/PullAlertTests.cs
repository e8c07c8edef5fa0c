using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Agnes.Server.Features.Sync.Alerts;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Whoever looks after tables hears when these cannot be pulled, once for a run, and when they can be again.</summary>
public sealed class PullAlertTests(Postgres postgres)
{
    private const string Secret = "0123456789abcdef-signing";

    [Fact]
    public async Task Owners_and_the_webhook_hear_of_failures_now_and_then_and_of_the_end()
    {
        await using var receiver = await Receiver.StartAsync();
        var post = new Post();
        await using var shop = await Shop.OpenAsync(
            StateEngine.DuckDb, postgres,
            options => options with
            {
                ServerUrl = "https://data.example.com",
                Alerts = new AlertOptions { ToOwners = true, To = ["data@example.com"], Webhook = new Uri(receiver.Url), WebhookSecret = Secret },
            },
            services => services.AddSingleton<IOutlet>(post));
        foreach (var name in (string[])["one", "two"])
            await shop.RegisterAsync($$"""{"name":"{{name}}","source_type":"local","source_table":"{{name}}.csv","sync_schedule":"every 15m"}""");

        await RunsAsync(shop, 1);
        await UntilAsync(() => post.Letters.Count == 2 && receiver.Got.Count == 1);
        var first = receiver.Got.Single();
        first.Signature.ShouldBe(AlertWebhook.Sign(Secret, first.Body));
        var alert = JsonNode.Parse(first.Body)!;
        alert["event"]!.GetValue<string>().ShouldBe("tables_failing");
        alert["text"]!.GetValue<string>().ShouldStartWith("2 tables could not be pulled");
        alert["failing"]!.AsArray().Select(table => table!["table"]!.GetValue<string>()).ShouldBe(["one", "two"]);
        alert["failing"]![0]!["failures"]!.GetValue<int>().ShouldBe(1);
        alert["failing"]![0]!["owner"]!.GetValue<string>().ShouldBe(TestServer.AdminEmail);
        first.Body.ShouldNotContain(shop.DataDir);
        post.Letters.Select(letter => letter.To).ShouldBe(["data@example.com", TestServer.AdminEmail], ignoreOrder: true);
        post.Letters.ShouldAllBe(letter => letter.Subject == "2 tables could not be pulled" && letter.Text.Contains("https://data.example.com/admin/sync/"));

        await RunsAsync(shop, 2); // not a word: the second in a row
        await RunsAsync(shop, 3);
        await UntilAsync(() => receiver.Got.Count == 2 && post.Letters.Count == 4);
        await RunsAsync(shop, 4);
        await RunsAsync(shop, 5);
        shop.Server.Time.Advance(TimeSpan.FromHours(24));
        await RunsAsync(shop, 6);
        await UntilAsync(() => receiver.Got.Count == 3 && post.Letters.Count == 6);
        receiver.Got.Select(got => JsonNode.Parse(got.Body)!["failing"]![0]!["failures"]!.GetValue<int>()).ShouldBe([1, 3, 6]);

        shop.WriteCsv("one.csv", "id\n1\n");
        await RunsAsync(shop, 7, well: "one");
        await UntilAsync(() => receiver.Got.Count == 4);
        var last = JsonNode.Parse(receiver.Got.Last().Body)!;
        (last["event"]!.GetValue<string>(), last["working"]!.AsArray().Single()!["table"]!.GetValue<string>()).ShouldBe(("tables_working", "one"));
        last["failing_count"]!.GetValue<int>().ShouldBe(0, "the other is not to be told of again today");

        // One that an admin mends by hand is told of as well; whoever is no admin any more hears nothing.
        shop.WriteCsv("two.csv", "id\n1\n");
        var letters = post.Letters.Count;
        await shop.Server.State.WriteAsync(async write =>
        {
            var row = write.Current.Table("two")! with { RegisteredBy = "ana@example.com" };
            await write.ExecuteAsync("UPDATE table_registry SET registered_by = @RegisteredBy WHERE id = @Id", row);
            write.Apply(snapshot => snapshot.WithTable(row));
        });
        await shop.SignInAgainAsync();
        (await shop.SyncAsync("""["two"]"""))["status"]!.GetValue<string>().ShouldBe("ok");
        await UntilAsync(() => receiver.Got.Count == 5 && post.Letters.Count == letters + 1);
        post.Letters.Last().To.ShouldBe("data@example.com");
    }

    [Fact]
    [Long]
    public async Task A_webhook_that_is_away_for_now_gets_it_later_and_its_address_is_in_no_log()
    {
        await using var receiver = await Receiver.StartAsync();
        receiver.Answers = 503;
        await using var shop = await Shop.OpenAsync(
            StateEngine.DuckDb, postgres, options => options with { Alerts = new AlertOptions { Webhook = new Uri($"{receiver.Url}/key-to-the-room") } });
        await shop.RegisterAsync("""{"name":"one","source_type":"local","source_table":"one.csv","sync_schedule":"every 15m"}""");
        await RunsAsync(shop, 1, "one");
        await UntilAsync(() => receiver.Got.Count >= 1);
        await EndedAsync(shop, "send");
        var why = (await shop.Server.State.ReadAsync<string>("SELECT error FROM jobs WHERE kind = 'send'")).Single();
        why.ShouldBe("alerts: the webhook answered 503; it is tried again.");
        receiver.Answers = 200;
        var before = receiver.Got.Count;
        shop.Server.Time.Advance(TimeSpan.FromMinutes(3));
        await shop.Server.Services.GetRequiredService<Outgoing>().RunAsync(CancellationToken.None);
        await UntilAsync(() => receiver.Got.Count > before);
        receiver.Got.ShouldAllBe(got => got.Signature == null, "nothing is set to sign with");
        shop.Server.Services.GetRequiredService<ServerOptions>().Alerts.ToString().ShouldNotContain("key-to-the-room");
    }

    [Theory]
    [InlineData("AGNES_ALERT_WEBHOOK_URL", "http://hooks.example.com/secret-path")]
    [InlineData("AGNES_ALERT_WEBHOOK_URL", "https://user:word@hooks.example.com/")]
    [InlineData("AGNES_ALERT_WEBHOOK_URL", "hooks.example.com/secret-path")]
    [InlineData("AGNES_ALERT_WEBHOOK_SECRET", "short")]
    [InlineData("AGNES_ALERT_TO", "data@example.com, nobody")]
    public void What_cannot_be_meant_stops_the_start_without_repeating_a_secret(string name, string value) =>
        Should.Throw<OptionsException>(() => AlertOptions.From(asked => asked == name ? value : null)).Message
            .ShouldSatisfyAllConditions(said => said.ShouldContain(name), said => said.ShouldNotContain("secret-path"), said => said.ShouldNotContain("short"));

    [Fact]
    public void Nobody_is_told_unless_it_is_set()
    {
        AlertOptions.From(_ => null).IsOn.ShouldBeFalse();
        AlertOptions.From(name => name == "AGNES_ALERT_WEBHOOK_URL" ? "http://localhost:9000/x" : null).IsOn.ShouldBeTrue();
    }

    /// <summary>A look at which the tables fail for so many times in a row.</summary>
    private static async Task RunsAsync(Shop shop, int failures, string table = "two", string? well = null)
    {
        var schedules = shop.Server.Services.GetServices<IPeriodic>().OfType<JobSchedules>().Single();
        await schedules.RunAsync(CancellationToken.None);
        shop.Server.Time.Advance(TimeSpan.FromMinutes(20)); // longer than any wait of a table that is due each quarter of an hour
        await schedules.RunAsync(CancellationToken.None);
        await UntilAsync(() => shop.Server.State.Snapshot.Pulls.GetValueOrDefault(table)?.Failures == failures);
        if (well is not null) await UntilAsync(() => shop.Server.State.Snapshot.Pulls[well].Failures == 0);
        await EndedAsync(shop, "sync");
    }

    private static async Task EndedAsync(Shop shop, string kind)
    {
        for (var i = 0; i < 1200; i++)
        {
            if ((await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM jobs WHERE kind = @kind AND finished_at IS NULL", new { kind }))[0] == 0) return;
            await Task.Delay(25);
        }
        throw new TimeoutException($"A job of kind {kind} did not end.");
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 1200 && !holds(); i++) await Task.Delay(25);
        holds().ShouldBeTrue();
    }

    private sealed class Post : IOutlet
    {
        public ConcurrentQueue<Letter> Letters { get; } = new();

        public string Channel => Letter.Channel;

        public Task SendAsync(string content, CancellationToken cancellation)
        {
            Letters.Enqueue(Letter.Read(content));
            return Task.CompletedTask;
        }
    }

    /// <summary>A real server on this machine that takes what is posted.</summary>
    private sealed class Receiver(WebApplication app) : IAsyncDisposable
    {
        public ConcurrentQueue<(string Body, string? Signature)> Got { get; } = new();

        public int Answers { get; set; } = 200;

        public string Url => app.Urls.First();

        public static async Task<Receiver> StartAsync()
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            var app = builder.Build();
            var receiver = new Receiver(app);
            app.Urls.Add("http://127.0.0.1:0");
            app.MapPost("/{**path}", async (HttpContext context) =>
            {
                using var reader = new StreamReader(context.Request.Body);
                var signature = context.Request.Headers[AlertWebhook.SignatureHeader].ToString();
                receiver.Got.Enqueue((await reader.ReadToEndAsync(), signature.Length == 0 ? null : signature));
                context.Response.StatusCode = receiver.Answers;
            });
            await app.StartAsync();
            return receiver;
        }

        public ValueTask DisposeAsync() => app.DisposeAsync();
    }
}
