using System.Collections.Concurrent;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What leaves the house waits in the state until it is taken, or has been tried long enough.</summary>
public sealed class OutgoingTests(Postgres postgres)
{
    private const string Stored = "SELECT content, attempts FROM outbox ORDER BY created_at";

    [Theory, OnEitherEngine]
    public async Task What_was_not_taken_for_now_waits_sealed_and_is_tried_again(StateEngine engine)
    {
        var (server, pigeons) = await StartAsync(engine);
        await using var _ = server;
        pigeons.Refuses = new OutletException("the loft is closed", isForNow: true);
        await PostAsync(server, "a link that is a key");
        await UntilAsync(async () => (await server.State.ReadAsync<Row>(Stored)) is [{ Attempts: 1 }]);
        (await server.State.ReadAsync<Row>(Stored))[0].Content.ShouldNotContain("link");
        var job = (await server.State.ReadAsync<JobRow>("SELECT * FROM jobs WHERE kind = 'send'")).Single();
        await UntilAsync(async () => (await server.State.ReadAsync<JobRow>("SELECT * FROM jobs WHERE kind = 'send'"))[0].FinishedAt is not null);
        (await server.State.ReadAsync<string>("SELECT error FROM jobs WHERE id = @Id", new { job.Id })).ShouldBe(["pigeons: the loft is closed; it is tried again."]);

        pigeons.Refuses = null;
        await server.Services.GetRequiredService<Outgoing>().RunAsync(CancellationToken.None);
        pigeons.Flown.ShouldBeEmpty("it is not due yet");
        server.Time.Advance(TimeSpan.FromMinutes(3));
        await server.Services.GetRequiredService<Outgoing>().RunAsync(CancellationToken.None);
        await UntilAsync(async () => (await server.State.ReadAsync<Row>(Stored)).Count == 0);
        pigeons.Flown.ShouldBe(["a link that is a key"]);
    }

    [Fact]
    [Long]
    public async Task What_will_never_be_taken_or_was_tried_for_hours_is_given_up()
    {
        var (server, pigeons) = await StartAsync(StateEngine.DuckDb);
        await using var _ = server;
        pigeons.Refuses = new OutletException("no such loft", isForNow: false);
        await PostAsync(server, "one");
        await UntilAsync(async () => (await server.State.ReadAsync<string>("SELECT error FROM jobs WHERE kind = 'send' AND finished_at IS NOT NULL")) is ["pigeons: no such loft; it was given up."]);
        (await server.State.ReadAsync<Row>(Stored)).ShouldBeEmpty();

        pigeons.Refuses = new OutletException("rain", isForNow: true);
        await PostAsync(server, "two");
        await UntilAsync(async () => (await server.State.ReadAsync<Row>(Stored)) is [{ Attempts: 1 }]);
        await server.State.WriteAsync(write => write.ExecuteAsync("UPDATE outbox SET attempts = 7, due_at = created_at"));
        await UntilAsync(async () =>
        {
            await server.Services.GetRequiredService<Outgoing>().RunAsync(CancellationToken.None); // the attempt before may not have ended yet
            return (await server.State.ReadAsync<Row>(Stored)).Count == 0;
        });
        pigeons.Flown.ShouldBeEmpty();
    }

    [Fact]
    public async Task One_that_is_slow_holds_up_no_other_and_no_more_wait_than_may()
    {
        var (server, pigeons) = await StartAsync(StateEngine.DuckDb);
        await using var _ = server;
        pigeons.Slow = "slow";
        await PostAsync(server, "slow");
        await PostAsync(server, "quick");
        await UntilAsync(() => Task.FromResult(pigeons.Flown.Contains("quick")));
        await UntilAsync(async () => (await server.State.ReadAsync<Row>(Stored)).Count == 1);
        await server.State.WriteAsync(write => write.InsertAsync(
            "INSERT INTO outbox (id, channel, content, created_at, attempts, due_at) VALUES (@Id, 'pigeons', 'x', @Now, 0, @Due)",
            [.. Enumerable.Range(0, Outgoing.WaitingMax - 1).Select(i => (object)new { Id = $"{i}", write.Now, Due = write.Now.AddDays(1) })]));
        (await server.Services.GetRequiredService<Outgoing>().PostAsync("pigeons", "one too many", CancellationToken.None)).ShouldBeFalse();
        (await server.Services.GetRequiredService<Outgoing>().PostAsync("another", "way", CancellationToken.None)).ShouldBeTrue();
    }

    private async Task<(TestServer Server, Pigeons Pigeons)> StartAsync(StateEngine engine)
    {
        var pigeons = new Pigeons();
        return (await TestServer.StartAsync(engine, postgres, adjust: services => services.AddSingleton<IOutlet>(pigeons)), pigeons);
    }

    private static async Task PostAsync(TestServer server, string content) =>
        (await server.Services.GetRequiredService<Outgoing>().PostAsync("pigeons", content, CancellationToken.None)).ShouldBeTrue();

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        for (var i = 0; i < 800; i++)
        {
            if (await holds()) return;
            await Task.Delay(25);
        }
        throw new TimeoutException("It did not happen.");
    }

    private sealed record Row
    {
        public required string Content { get; init; }
        public int Attempts { get; init; }
    }

    /// <summary>A feature's way out.</summary>
    private sealed class Pigeons : IOutlet
    {
        public string Channel => "pigeons";

        public OutletException? Refuses { get; set; }

        public string? Slow { get; set; }

        public ConcurrentQueue<string> Flown { get; } = new();

        public Task SendAsync(string content, CancellationToken cancellation)
        {
            if (Refuses is { } refusal) throw refusal;
            if (content == Slow) return Task.Delay(Timeout.Infinite, cancellation);
            Flown.Enqueue(content);
            return Task.CompletedTask;
        }
    }
}
