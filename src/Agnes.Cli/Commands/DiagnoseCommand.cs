using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Doctor;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes diagnose</c>: what is wrong, and what to do about it.</summary>
internal static class DiagnoseCommand
{
    public static Command Build(Host host, string name)
    {
        var json = Shared.Json();
        var schema = new Option<bool>("--include-schema") { Description = "Ask the server about its database's schema too." };
        var component = new Option<string?>("--component") { Description = "Only checks whose names begin so: server, tls, token, access, disk, workspace, freshness, files, data, hooks, sessions.", HelpName = "NAME" };
        var symptom = new Option<string?>("--symptom") { Description = "What you see, in your words; shown with the report.", HelpName = "TEXT" };
        var exitZero = new Option<bool>("--exit-zero") { Description = "Exit 0 whatever is found." };
        var command = new AgnesCommand(
            name,
            "Checks server, certificate, token, disk, workspace and tables; each finding names its remedy. Run it first when something does not work.",
            "agnes diagnose",
            "agnes diagnose --json --component data") { json, schema, component, symptom, exitZero };
        command.SetAction(async (parsed, cancellation) =>
        {
            var local = new LocalChecks(host, Layout.Current()).Run();
            var remote = await new ServerChecks(host).RunAsync(parsed.GetValue(schema), cancellation);
            var only = parsed.GetValue(component) ?? "";
            return Report(host, [.. remote.Concat(local).Where(check => check.Name.StartsWith(only, StringComparison.OrdinalIgnoreCase))], parsed.GetValue(symptom), parsed.GetValue(json), parsed.GetValue(exitZero));
        });
        command.Add(BuildSystem(host));
        return command;
    }

    private static Command BuildSystem(Host host)
    {
        var local = new Option<bool>("--local") { Description = "This workspace, without the network." };
        var json = Shared.Json();
        var command = new AgnesCommand("system", "The server's health, or with --local what this workspace holds.", "agnes diagnose system --local --json") { local, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (!parsed.GetValue(local))
            {
                using var health = (await host.Api.GetAsync("/api/health", cancellation)).OrFail().Json();
                JsonText.Write(host, health.RootElement);
                return ExitCode.Ok;
            }

            var (state, _) = await PullState.LoadAsync(Layout.Current(), cancellation);
            var tables = state.Servers.Values.SelectMany(server => server.Tables.Keys).Order(StringComparer.Ordinal).ToArray();
            var facts = new JsonObject
            {
                ["mode"] = "local",
                ["tables_synced"] = tables.Length,
                ["last_sync"] = state.Servers.Values.Select(server => server.LastSync).Max(StringComparer.Ordinal),
                ["tables"] = new JsonArray([.. tables.Select(table => (JsonNode)table)]),
            };
            if (parsed.GetValue(json)) JsonText.Write(host, (JsonNode)facts);
            else host.Out.WriteLine($"{tables.Length} tables, last pull {facts["last_sync"]?.ToString() ?? "never"}: {string.Join(", ", tables)}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static int Report(Host host, IReadOnlyList<Check> checks, string? symptom, bool asJson, bool exitZero)
    {
        var overall = checks.Any(check => check.Status == Check.Error) ? "unhealthy" : checks.Any(check => check.Status == Check.Warning) ? "degraded" : "healthy";
        var actions = checks.Where(check => check.Status is Check.Error or Check.Warning && check.Remedy is not null).Select(check => $"{check.Name}: {check.Remedy}").ToList();
        if (asJson)
        {
            var report = new JsonObject
            {
                ["overall"] = overall,
                ["checks"] = new JsonArray([.. checks.Select(check => (JsonNode)check.ToJson())]),
                ["suggested_actions"] = new JsonArray([.. actions.Select(action => (JsonNode)action)]),
            };
            if (symptom is not null) report["symptom"] = symptom;
            JsonText.Write(host, (JsonNode)report);
        }
        else
        {
            foreach (var check in checks)
            {
                host.Out.WriteLine($"{Mark(check.Status)} {check.Name}: {DisplayText.Message(check.Detail)}");
                if (check.Status is Check.Error or Check.Warning && check.Remedy is not null) host.Out.WriteLine($"       -> {DisplayText.Message(check.Remedy)}");
            }

            host.Out.WriteLine($"Overall: {overall}");
            if (symptom is not null) host.Out.WriteLine($"Symptom: {DisplayText.Message(symptom)}. Guides: agnes skills show troubleshoot");
        }

        return overall == "unhealthy" && !exitZero ? ExitCode.Failed : ExitCode.Ok;
    }

    private static string Mark(string status) => status switch
    {
        Check.Good => "[ ok ]",
        Check.Info => "[info]",
        Check.Warning => "[warn]",
        Check.Error => "[FAIL]",
        _ => "[ ?  ]",
    };
}
