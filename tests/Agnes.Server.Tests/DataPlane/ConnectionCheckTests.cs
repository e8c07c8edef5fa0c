using System.Text.Json.Nodes;
using Agnes.Emulators.Keboola;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Npgsql;

namespace Agnes.Server.Tests.DataPlane;

/// <summary>A connection is checked by asking its source: is it reached, does it take the credentials, may it be read? No secret is in what is said.</summary>
public sealed class ConnectionCheckTests(Postgres postgres)
{
    private const string Password = "a-password-of-somebody";

    [Fact]
    public async Task A_database_says_whether_it_is_reached_takes_the_role_and_has_something_to_read()
    {
        var address = await postgres.NewDatabaseAsync();
        await using var database = NpgsqlDataSource.Create(address);
        var (reader, nobody) = ($"reader_{Guid.NewGuid():N}", $"nobody_{Guid.NewGuid():N}");
        await using (var command = database.CreateCommand(
            $"CREATE ROLE {reader} LOGIN; CREATE ROLE {nobody} LOGIN; CREATE TABLE sales (id int); CREATE TABLE payroll (id int); GRANT SELECT ON sales TO {reader}"))
            await command.ExecuteNonQueryAsync();
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = [postgres.Address, "127.0.0.1"] });
        var name = new NpgsqlConnectionStringBuilder(address).Database!;
        await AddAsync("depot", reader, 5432);
        await AddAsync("empty", nobody, 5432);
        await AddAsync("stranger", $"stranger_{Guid.NewGuid():N}", 5432);
        await AddAsync("closed", reader, 1, "127.0.0.1");

        (await CheckAsync(shop, "depot")).ShouldBe((true, "'depot' answers, and may read 1 tables there."));
        (await CheckAsync(shop, "empty")).ShouldBe((false, "'empty' answers, but there are no tables that it may read: give it the right to some there."));
        var stranger = await CheckAsync(shop, "stranger");
        (stranger.IsOk, stranger.Message.Contains("cannot sign in", StringComparison.Ordinal)).ShouldBe((false, true), stranger.Message);
        var closed = await CheckAsync(shop, "closed");
        (closed.IsOk, closed.Message.Contains("cannot be reached", StringComparison.Ordinal)).ShouldBe((false, true), closed.Message);

        var audit = (await shop.Server.AuditAsync()).Where(entry => entry.Action == "connection.checked").ToList();
        audit.Select(entry => (entry.Resource, entry.Result)).ShouldBe([("depot", "ok"), ("empty", "error"), ("stranger", "error"), ("closed", "error")]);
        audit.ShouldAllBe(entry => !entry.Params!.Contains(Password));

        async Task AddAsync(string connection, string user, int port, string? host = null)
        {
            var settings = new JsonObject { ["host"] = host ?? postgres.Address, ["database"] = name, ["user"] = user, ["ssl_mode"] = "disable" };
            if (host is not null) settings["port"] = port;
            var body = new JsonObject { ["name"] = connection, ["kind"] = "postgres", ["settings"] = settings };
            var added = await shop.AsAdminAsync("POST", "/api/admin/connections", body.ToJsonString());
            added.Status.ShouldBe(201, added.Body);
            (await shop.AsAdminAsync("PUT", $"/api/admin/secrets/AGNES_CONNECTION_{connection.ToUpperInvariant()}_PASSWORD", $$"""{"value":"{{Password}}"}"""))
                .Status.ShouldBe(204);
        }
    }

    [Fact]
    public async Task A_project_is_asked_with_its_token_and_the_token_is_in_no_answer()
    {
        await using var keboola = await KeboolaServer.StartAsync();
        keboola.Add("in.c-crm.deals", 3, "id", "size");
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { AllowedPrivateHosts = ["127.0.0.1"] });
        var unset = await CheckAsync(shop, "keboola");
        (unset.IsOk, unset.Message.Contains("not set up", StringComparison.Ordinal)).ShouldBe((false, true), unset.Message);
        var body = new JsonObject { ["name"] = "crm", ["kind"] = "keboola", ["settings"] = new JsonObject { ["stack_url"] = keboola.Address } };
        (await shop.AsAdminAsync("POST", "/api/admin/connections", body.ToJsonString())).Status.ShouldBe(201);
        (await shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_CRM_STORAGE_TOKEN", $$"""{"value":"{{Password}}"}""")).Status.ShouldBe(204);
        (await CheckAsync(shop, "crm")).IsOk.ShouldBeFalse();
        (await shop.AsAdminAsync("PUT", "/api/admin/secrets/AGNES_CONNECTION_CRM_STORAGE_TOKEN", $$"""{"value":"{{KeboolaServer.Token}}"}""")).Status.ShouldBe(204);
        (await CheckAsync(shop, "crm")).ShouldBe((true, "'crm' answers, and may read 1 tables there."));
    }

    [Fact]
    public async Task A_folder_is_there_or_it_is_said_where_it_should_be_and_only_admins_ask_and_not_without_end()
    {
        await using var shop = await Shop.OpenAsync(StateEngine.DuckDb, postgres, options => options with { RateLimits = true });
        (await shop.AsAdminAsync("POST", "/api/admin/connections", """{"name":"eu","kind":"csv","settings":{"folder":"eu"}}""")).Status.ShouldBe(201);
        (await CheckAsync(shop, "eu")).ShouldBe((false, "The folder csv/eu is not there: make it below DATA_DIR, and put files into it."));
        shop.WriteCsv("eu/a.csv", "a\n1\n");
        (await CheckAsync(shop, "eu")).ShouldBe((true, "'eu' answers, and may read 1 files and folders there."));
        (await shop.AsAnalystAsync("POST", "/api/admin/connections/eu/check")).Status.ShouldBe(403);
        (await shop.AsAdminAsync("POST", "/api/admin/connections/us/check")).Status.ShouldBe(404);
        var statuses = new List<int>();
        for (var i = 0; i < 25; i++) statuses.Add((await shop.AsAdminAsync("POST", "/api/admin/connections/eu/check")).Status);
        statuses[^1].ShouldBe(429);
    }

    private static async Task<(bool IsOk, string Message)> CheckAsync(Shop shop, string connection)
    {
        var answer = await shop.AsAdminAsync("POST", $"/api/admin/connections/{connection}/check");
        answer.Status.ShouldBe(200, answer.Body);
        answer.Body.ShouldNotContain(Password);
        answer.Body.ShouldNotContain(KeboolaServer.Token);
        return (answer.Json["ok"]!.GetValue<bool>(), answer.Json["message"]!.GetValue<string>());
    }
}
