using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes setup first-sync</c> and <c>agnes setup verify</c>: a new server's first tables, and whether all of it answers.</summary>
internal static class SetupChecks
{
    private const string Pass = "pass";
    private const string Warn = "warn";
    private const string Fail = "fail";

    public static AgnesCommand FirstSync(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("first-sync", "Has the server bring all registered tables from their sources. For admins.", "agnes setup first-sync") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            PullCommand.RequireToken(host.Api);
            using var started = (await host.Api.PostAsync("/api/sync/trigger", null, cancellation)).OrFail().Json();
            if (parsed.GetValue(json)) JsonText.Write(host, started.RootElement);
            else host.Out.WriteLine($"{Columns.Field(started.RootElement, "status")}: {Columns.Field(started.RootElement, "tables")}. Follow it: agnes admin sync runs");
            return ExitCode.Ok;
        });
        return command;
    }

    public static AgnesCommand Verify(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("verify", "Checks a server from outside: server, token, tables, users, pages.", "agnes setup verify --json") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var checks = await RunAsync(host.Api, cancellation);
            var overall = checks.Any(check => check.Status == Fail) ? Fail : checks.Any(check => check.Status == Warn) ? Warn : Pass;
            if (parsed.GetValue(json))
            {
                var list = checks.Select(check => (JsonNode)new JsonObject { ["name"] = check.Name, ["status"] = check.Status, ["detail"] = check.Detail });
                JsonText.Write(host, (JsonNode)new JsonObject { ["overall"] = overall, ["checks"] = new JsonArray([.. list]) });
                return ExitCode.Ok;
            }

            foreach (var check in checks) host.Out.WriteLine($"[{check.Status}] {check.Name}: {DisplayText.Message(check.Detail)}");
            host.Out.WriteLine($"Overall: {overall}");
            return overall == Fail ? ExitCode.Failed : ExitCode.Ok;
        });
        return command;
    }

    private static async Task<List<(string Name, string Status, string Detail)>> RunAsync(ApiClient api, CancellationToken cancellation)
    {
        var checks = new List<(string, string, string)>();
        try
        {
            var health = await api.GetAsync("/api/health", cancellation);
            checks.Add(("server", health.IsSuccess ? Pass : Fail, health.IsSuccess ? $"{api.Server}" : ErrorText.Brief(health.Status, health.Body)));
            if (!health.IsSuccess) return checks;
            var manifest = await api.GetAsync("/api/sync/manifest", cancellation);
            checks.Add(("auth", manifest.IsSuccess ? Pass : Fail, manifest.IsSuccess ? "the token is accepted" : ErrorText.Brief(manifest.Status, manifest.Body)));
            if (manifest.IsSuccess) checks.Add(Data(manifest));
            var users = await api.GetAsync("/api/users", cancellation);
            checks.Add(("users", users.IsSuccess || users.Status == 403 ? Pass : Warn, users.IsSuccess ? "can be listed" : users.Status == 403 ? "for admins" : ErrorText.Brief(users.Status, users.Body)));
            foreach (var (name, path) in ((string, string)[])[("web_ui", "/login"), ("api_docs", "/docs")])
            {
                var page = await api.GetAsync(path, cancellation);
                checks.Add((name, page.Status < 400 ? Pass : Warn, page.Status < 400 ? path : $"{path} answers {page.Status}"));
            }
        }
        catch (CliException unreachable) when (unreachable.ExitCode == ExitCode.Failed)
        {
            checks.Add(("server", Fail, unreachable.Message));
        }

        return checks;
    }

    private static (string, string, string) Data(ApiResponse manifest)
    {
        using var json = manifest.Json();
        if (!json.RootElement.TryGetProperty("tables", out var tables) || tables.ValueKind != JsonValueKind.Object) return ("data", Warn, "the manifest names no tables");
        var rows = tables.EnumerateObject().Sum(table => table.Value.TryGetProperty("rows", out var count) && count.TryGetInt64(out var number) ? number : 0);
        var number = tables.EnumerateObject().Count();
        return ("data", number > 0 ? Pass : Warn, number > 0 ? $"{number} tables, {rows} rows" : "no table yet: agnes admin register-table, agnes setup first-sync");
    }
}
