using System.Collections.Concurrent;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What becomes of tables is heard of, at least once, by whoever asked to hear it.</summary>
public sealed class PublicationEventTests(Postgres postgres)
{
    [Theory, OnEitherEngine]
    public async Task A_features_listener_hears_what_becomes_of_tables(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres, adjust: services => services.AddPublicationListener<Ear>(), isFresh: true);
        var ear = shop.Server.Services.GetRequiredService<Ear>();
        await shop.EventuallyAsync(() => ear.Has("Orders", "published") && ear.Has("loose", "published"), "the listener heard of the first publication");
        ear.Heard.ShouldAllBe(heard => heard.Number == shop.Server.State.Snapshot.PublishedTable(heard.TableName)!.Number);

        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.SyncAsync();
        await shop.EventuallyAsync(() => ear.Has("visits", "published"), "a sync is heard of");
        (await shop.AsAdminAsync("PUT", "/api/admin/registry/visits", """{"name":"views"}""")).Status.ShouldBe(200);
        await shop.EventuallyAsync(() => ear.Has("visits", "removed") && ear.Has("views", "published"), "a new name is heard of");
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/visits")).Status.ShouldBe(204);
        await shop.EventuallyAsync(() => ear.Has("views", "removed"), "an end is heard of");
        await shop.EventuallyAsync(() => File.Exists(Path.Combine(shop.DataDir, "analytics", "server.duckdb")), "the other listener did its work too");
        await UntilNothingWaitsAsync(shop);
    }

    [Fact]
    [Long]
    public async Task What_a_listener_failed_to_take_is_told_again_later_and_others_are_not_held_up()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, adjust: services => services.AddPublicationListener<Ear>(), isFresh: true);
        var ear = shop.Server.Services.GetRequiredService<Ear>();
        await shop.EventuallyAsync(() => ear.Has("loose", "published"), "the first publication was heard of");
        ear.IsDeaf = true;
        ForeignExtract.Write(shop.DataDir, "other", ("more", "SELECT 1 AS a"));
        (await shop.RunAsync(PublishJob.Request("test"))).Status.ShouldBe("ok");
        await UntilWaitingAsync(shop, waiting => waiting is [{ Attempts: 1, Listener: "ear", TableName: "more" }], "only the deaf one's is left, and put off");

        // What becomes of the table meanwhile takes the place of what was not heard: it is one row still.
        ForeignExtract.Write(shop.DataDir, "other", ("more", "SELECT 2 AS a"));
        (await shop.RunAsync(PublishJob.Request("test"))).Status.ShouldBe("ok");
        await UntilWaitingAsync(shop, waiting => waiting is [{ Attempts: 1, Listener: "ear" }], "it is told anew, and put off again");
        ear.IsDeaf = false;
        await shop.Server.Services.GetRequiredService<PublicationEvents>().RunAsync(CancellationToken.None);
        ear.Has("more", "published").ShouldBeFalse("it is not due yet");
        shop.Server.Time.Advance(TimeSpan.FromMinutes(2));
        await shop.Server.Services.GetRequiredService<PublicationEvents>().RunAsync(CancellationToken.None);
        await shop.EventuallyAsync(() => ear.Has("more", "published"), "it is told again when it is due");
        ear.Heard.Last().Number.ShouldBe(shop.Server.State.Snapshot.PublishedTable("more")!.Number);
        await UntilNothingWaitsAsync(shop);
    }

    [Fact]
    [Long]
    public async Task What_a_killed_server_had_not_told_yet_the_next_one_tells()
    {
        using var folder = new TemporaryFolder();
        var file = Path.Combine(folder.Path, "analytics", "server.duckdb");
        ForeignExtract.Write(folder.Path, "erp", ("orders", "SELECT 1 AS a"));
        await using (var killed = await ServerProcess.StartAsync(folder.Path))
        {
            await killed.SignInAsync();
            for (var i = 0; i < 600 && (await killed.SendAsync("GET", "/api/sync/manifest")).Json["tables"]!.AsObject().Count == 0; i++) await Task.Delay(5);
            await killed.KillAsync(); // the file is made two seconds after the commit
        }
        File.Exists(file).ShouldBeFalse();
        await using var server = await ServerProcess.StartAsync(folder.Path);
        for (var i = 0; i < 300 && !File.Exists(file); i++) await Task.Delay(100);
        File.Exists(file).ShouldBeTrue();
    }

    private static Task UntilNothingWaitsAsync(Shop shop) => UntilWaitingAsync(shop, waiting => waiting.Count == 0, "nothing waits any more");

    private static async Task UntilWaitingAsync(Shop shop, Func<IReadOnlyList<WaitingRow>, bool> holds, string what)
    {
        for (var i = 0; i < 600; i++)
        {
            if (holds(await shop.Server.State.ReadAsync<WaitingRow>("SELECT listener, table_name, attempts FROM publication_events"))) return;
            await Task.Delay(50);
        }
        throw new TimeoutException($"It never came to be that {what}.");
    }

    private sealed record WaitingRow
    {
        public required string Listener { get; init; }
        public required string TableName { get; init; }
        public int Attempts { get; init; }
    }

    /// <summary>A feature's listener.</summary>
    private sealed class Ear : IPublicationListener
    {
        public string Name => "ear";

        public Lane Lane => Lane.Light;

        public bool FillsDisk => false;

        public bool IsDeaf { get; set; }

        public ConcurrentQueue<PublicationEvent> Heard { get; } = new();

        public Task HearAsync(JobContext job, IReadOnlyList<PublicationEvent> events, CancellationToken cancellation)
        {
            if (IsDeaf) throw new InvalidOperationException("not now");
            foreach (var happened in events) Heard.Enqueue(happened);
            return Task.CompletedTask;
        }

        public bool Has(string table, string what) => Heard.Any(heard => heard.TableName == table && heard.What == what);
    }
}
