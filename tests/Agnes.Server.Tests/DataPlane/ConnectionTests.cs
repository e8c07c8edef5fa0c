using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>Several connections of one kind of source, each with tables of its own.</summary>
public sealed class ConnectionTests(Postgres postgres)
{
    private const string Address = "/api/admin/connections";

    [Theory, OnEitherEngine]
    public async Task Three_connections_of_one_kind_each_bring_their_own_tables(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        var folder = shop.Server.Services.GetRequiredService<DataFolder>();
        foreach (var name in (string[])["eu", "us", "asia"])
        {
            Directory.CreateDirectory(Path.Combine(folder.Csv, $"files_{name}"));
            await File.WriteAllTextAsync(Path.Combine(folder.Csv, $"files_{name}", "sales.csv"), $"region\n{name}\n");
            (await shop.AsAdminAsync("POST", Address, $$$"""{"name":"{{{name}}}","kind":"files","settings":{"folder":"files_{{{name}}}"}}""")).Status.ShouldBe(201);
            (await shop.AsAdminAsync("POST", "/api/admin/register-table", $$"""{"name":"sales_{{name}}","source_type":"csv","source_table":"sales.csv","connection":"{{name}}"}""")).Status.ShouldBe(201);
        }

        await shop.SyncAsync();
        foreach (var name in (string[])["eu", "us", "asia"])
        {
            (await shop.AsAdminAsync("POST", "/api/query", $$"""{"sql":"SELECT region FROM sales_{{name}}"}""")).Json["rows"]!.ToJsonString().ShouldBe($"""[["{name}"]]""");
            File.Exists(folder.ExtractFile(name)).ShouldBeTrue();
            shop.Server.State.Snapshot.ViewOwners[$"sales_{name}"].SourceName.ShouldBe(name);
        }

        // One that is not used any more goes, with its folder; one that is used stays.
        (await shop.AsAdminAsync("DELETE", $"{Address}/eu")).Status.ShouldBe(409);
        (await shop.AsAdminAsync("DELETE", "/api/admin/registry/sales_eu")).Status.ShouldBe(204);
        await shop.SyncAsync();
        (await shop.AsAdminAsync("DELETE", $"{Address}/eu")).Status.ShouldBe(204);
        await shop.EventuallyAsync(() => !Directory.Exists(folder.Source("eu")), "its folder is gone");
        (await shop.AsAdminAsync("GET", Address)).Json["connections"]!.AsArray().Select(row => row!["name"]!.GetValue<string>()).ShouldBe(["asia", "us"]);
        (await shop.AsAdminAsync("POST", "/api/query", """{"sql":"SELECT region FROM sales_us"}""")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task What_cannot_be_a_connection_is_refused_with_the_reason()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres);
        Directory.CreateDirectory(Path.Combine(shop.Server.Services.GetRequiredService<DataFolder>().Extracts, "erp"));
        foreach (var (body, status, text) in ((string, int, string)[])
        [
            ("""{"name":"a b","kind":"csv","settings":{"folder":"x"}}""", 422, "letters, digits"), ("""{"name":"csv","kind":"csv","settings":{"folder":"x"}}""", 409, "already"),
            ("""{"name":"local","kind":"csv","settings":{"folder":"x"}}""", 409, "already"), ("""{"name":"erp","kind":"csv","settings":{"folder":"x"}}""", 409, "extracts/erp"),
            ("""{"name":"a","kind":"fax"}""", 422, "kind must be one of"), ("""{"name":"a","kind":"csv"}""", 422, "folder is missing"),
            ("""{"name":"a","kind":"csv","settings":{"folder":"../state"}}""", 422, "state"), ("""{"name":"a","kind":"csv","settings":{"folder":"x","colour":"red"}}""", 422, "'colour' is no setting"),
        ])
        {
            var answer = await shop.AsAdminAsync("POST", Address, body);
            answer.Status.ShouldBe(status, body);
            answer.Body.ShouldContain(text, customMessage: body);
        }

        (await shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"later","source_type":"csv","source_table":"x.csv","connection":"nowhere"}""")).Body.ShouldContain("no connection 'nowhere'");
        (await shop.AsAdminAsync("POST", "/api/admin/register-table", """{"name":"later","source_type":"csv","source_table":"x.csv","connection":"csv"}""")).Status.ShouldBe(201);
        shop.Server.State.Snapshot.Table("later")!.Connection.ShouldBeNull("the default one has no row");
        (await shop.AsAnalystAsync("GET", Address)).Status.ShouldBe(403);
    }

    [Theory, OnEitherEngine]
    public async Task Checkpoints_outlive_the_process_and_go_when_their_table_is_done(StateEngine engine)
    {
        await using var shop = await Shop.OpenAsync(engine, postgres);
        shop.WriteCsv("goods.csv", "a\n1\n");
        await shop.RegisterAsync("""{"name":"goods","source_type":"csv"}""");
        var checkpoints = new PullCheckpoints(shop.Server.State);
        await checkpoints.SaveAsync("csv", new ExtractCheckpoint("goods", "one"), CancellationToken.None);
        await checkpoints.SaveAsync("csv", new ExtractCheckpoint("goods", "two"), CancellationToken.None);
        await checkpoints.SaveAsync("csv", new ExtractCheckpoint("nobodys", "x"), CancellationToken.None);
        (await checkpoints.LoadAsync("csv")).ShouldBe(new Dictionary<string, string> { ["goods"] = "two", ["nobodys"] = "x" }, ignoreOrder: true);
        await shop.SyncAsync();
        (await checkpoints.LoadAsync("csv")).ShouldBeEmpty();
    }
}
