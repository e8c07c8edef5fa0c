using System.Collections.Concurrent;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>What a feature keeps for something ends with it, in one transaction.</summary>
public sealed class BelongingTests(Postgres postgres)
{
    [Fact]
    public async Task What_a_feature_keeps_for_a_table_a_user_a_group_or_a_part_ends_with_it()
    {
        var drawer = new Drawer();
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, adjust: services => services.AddSingleton<IBelonging>(drawer));
        shop.WriteCsv("visits.csv", "id\n1\n");
        await shop.RegisterAsync("""{"name":"visits","source_type":"local","source_table":"visits.csv"}""");
        await shop.SyncAsync();
        var visits = shop.Server.State.Snapshot.PublishedTable("visits")!.Parts[0].Sha256;
        (await shop.RunAsync(PurgeJob.Request("test"))).Status.ShouldBe("ok");
        drawer.Named.ShouldNotBeNull().ShouldContain(visits);

        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/visits")).Status.ShouldBe(204);
        drawer.Ended.ShouldContain("table visits");
        (await shop.RunAsync(PurgeJob.Request("test"))).Status.ShouldBe("ok");
        drawer.Named.ShouldNotContain(visits);

        var ben = (await shop.AsAdminAsync("POST", "/api/users", """{"email":"ben@example.com","name":"Ben"}""")).Text("id");
        (await shop.AsAdminAsync("POST", $"/api/users/{ben}/deactivate")).Status.ShouldBe(200);
        drawer.Ended.ShouldContain($"for now {ben}");
        (await shop.AsAdminAsync("DELETE", $"/api/users/{ben}")).Status.ShouldBe(204);
        drawer.Ended.ShouldContain($"user {ben}");
        var group = (await shop.AsAdminAsync("POST", "/api/admin/groups", """{"name":"Sellers"}""")).Text("id");
        (await shop.AsAdminAsync("DELETE", $"/api/admin/groups/{group}")).Status.ShouldBe(204);
        drawer.Ended.ShouldContain($"group {group}");
    }

    [Fact]
    public async Task Where_a_belonging_cannot_end_nothing_does()
    {
        var drawer = new Drawer();
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, adjust: services => services.AddSingleton<IBelonging>(drawer));
        drawer.IsStuck = true;
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/orders")).Status.ShouldBe(500);
        shop.Server.State.Snapshot.Table("orders").ShouldNotBeNull();
        (await shop.AsAnalystAsync("GET", "/api/data/orders/download")).Status.ShouldBe(200);
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM resource_grants WHERE resource_id = 'orders'")).ShouldBe([1L]);
        drawer.IsStuck = false;
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/orders")).Status.ShouldBe(204);
        (await shop.Server.State.ReadAsync<long>("SELECT count(*) FROM resource_grants WHERE resource_id = 'orders'")).ShouldBe([0L]);
    }

    /// <summary>A feature's belonging: these lines, and one where it registers its services.</summary>
    private sealed class Drawer : IBelonging
    {
        public string Name => "what lies in a drawer";

        public bool IsStuck { get; set; }

        public ConcurrentQueue<string> Ended { get; } = new();

        public IReadOnlySet<string>? Named { get; private set; }

        public Task EndTableAsync(StateWrite write, string id)
        {
            if (IsStuck) throw new InvalidOperationException("the drawer is stuck");
            Ended.Enqueue($"table {id}");
            return Task.CompletedTask;
        }

        public Task EndUserAsync(StateWrite write, string id) => NoteAsync($"user {id}");

        public Task CloseUserAsync(StateWrite write, string id) => NoteAsync($"for now {id}");

        public Task EndGroupAsync(StateWrite write, string id) => NoteAsync($"group {id}");

        public Task EndPartsAsync(StateWrite write, IReadOnlySet<string> named)
        {
            Named = named;
            return Task.CompletedTask;
        }

        private Task NoteAsync(string what)
        {
            Ended.Enqueue(what);
            return Task.CompletedTask;
        }
    }
}
