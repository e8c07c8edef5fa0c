using System.Text.Json.Nodes;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Server.Tests.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.Features;

public sealed class AuditExportTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task The_whole_log_can_be_taken_along_and_that_it_was_is_in_it(StateEngine engine)
    {
        await using var world = await World.NewAsync(engine, postgres);
        await world.AsAdminAsync("POST", "/api/admin/groups", """{"name":"=HYPERLINK(\"x\")"}""");
        for (var i = 0; i < 3; i++) await world.Server.State.WriteAsync(write => AddManyAsync(write, 250));
        var lines = (await world.AsAdminAsync("GET", "/api/admin/audit/export")).Body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!).ToList();
        lines.Count.ShouldBeGreaterThan(750);
        lines.Select(line => line["id"]!.GetValue<string>()).Distinct().Count().ShouldBe(lines.Count);
        lines.ShouldContain(line => line["action"]!.GetValue<string>() == "user.create" && line["email"]!.GetValue<string>() == TestServer.AdminEmail);
        (await world.Server.AuditAsync()).ShouldContain(row => row.Action == "audit.export");

        var csv = await world.AsAdminAsync("GET", "/api/admin/audit/export?format=csv&action=test.*&since=2000-01-01");
        csv.Header("Content-Type").ShouldBe("text/csv; charset=utf-8");
        var rows = csv.Body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        (rows.Length, rows[0]).ShouldBe((751, "timestamp,user_id,email,action,resource,result,duration_ms,params,id"));
        rows[1].ShouldContain(",test.made,'=1+1,\"say \"\"hi\"\", then go\",");
        (await world.Server.SendAsync("GET", "/api/admin/audit/export?format=xml", token: world.TokenOf(Principal.Admin))).Status.ShouldBe(422);
    }

    private static Task AddManyAsync(StateWrite write, int count)
    {
        for (var i = 0; i < count; i++) write.Audit(null, "test.made", "=1+1", null, "say \"hi\", then go");
        return Task.CompletedTask;
    }
}
