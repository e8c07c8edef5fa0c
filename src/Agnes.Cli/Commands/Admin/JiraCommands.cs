using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin jira</c>: what came from Jira, and what is fetched from it.</summary>
internal static class JiraCommands
{
    private const string Address = "/api/admin/jira";
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    public static Command Build(Host host) => new AgnesCommand(
        "jira", "What Jira sent, and what is fetched from it.", "agnes admin jira status",
            "agnes admin jira backfill --jql 'project = SUP'")
    {
        Status(host), Backfill(host), SlaPoll(host), Check(host),
    };

    private static AgnesCommand Status(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("status", "Shows what is set up, what came last, what waits, and what the last jobs did.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync($"{Address}/status", cancellation)).OrFail().Json();
            if (parsed.GetValue(json)) JsonText.Write(host, answer.RootElement);
            else Print(host, answer.RootElement);
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Backfill(Host host)
    {
        var jql = new Option<string?>("--jql") { Description = "Issues of this query; default: all." };
        var keys = new Option<string?>("--issue-keys") { Description = "These issues alone, as A-1,B-2." };
        var again = new Option<bool>("--no-skip-existing") { Description = "Fetch issues again that were fetched before." };
        var links = new Option<bool>("--remote-links") { Description = "Known issues alone of which no links to other systems are known." };
        var (dryRun, noWait, json) = (DryRun("Count what the query finds, and fetch nothing."), NoWait(), Shared.Json());
        var command = new AgnesCommand(
            "backfill", "Fetches issues that Jira had before it began to send. Exit 1 where some could not be fetched.",
            "agnes admin jira backfill", "agnes admin jira backfill --issue-keys SUP-1,SUP-2")
        {
            jql, keys, again, links, dryRun, noWait, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var body = new JsonObject
            {
                ["skip_existing"] = !parsed.GetValue(again),
                ["remote_links"] = parsed.GetValue(links),
                ["dry_run"] = parsed.GetValue(dryRun),
            };
            if (parsed.GetValue(jql) is { } query) body["jql"] = query;
            string[] named = parsed.GetValue(keys)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                ?? [];
            if (named.Length > 0) body["issue_keys"] = new JsonArray([.. named.Select(key => (JsonNode)JsonValue.Create(key))]);
            return StartAsync(host, "backfill", body, parsed.GetValue(noWait), parsed.GetValue(json), cancellation);
        });
        return command;
    }

    private static AgnesCommand SlaPoll(Host host)
    {
        var missing = new Option<bool>("--missing") { Description = "Issues alone of which no time of service is known, done ones too." };
        var (dryRun, noWait, json) = (DryRun("Count the issues, and ask nothing of Jira."), NoWait(), Shared.Json());
        var command = new AgnesCommand(
            "sla-poll", "Asks for the times of service of open issues. Exit 1 where some could not be asked for.",
            "agnes admin jira sla-poll", "agnes admin jira sla-poll --missing") { missing, dryRun, noWait, json };
        command.SetAction((parsed, cancellation) => StartAsync(
            host, "sla-poll", new JsonObject { ["missing"] = parsed.GetValue(missing), ["dry_run"] = parsed.GetValue(dryRun) },
            parsed.GetValue(noWait), parsed.GetValue(json), cancellation));
        return command;
    }

    private static AgnesCommand Check(Host host)
    {
        var days = new Option<int>("--max-age-days")
        {
            Description = "Issues created within so many days.",
            DefaultValueFactory = _ => 30,
        }.Positive();
        var noFix = new Option<bool>("--no-auto-fix") { Description = "Fetch nothing that is missing." };
        var (dryRun, noWait, json) = (DryRun("Fetch nothing, and write no report."), NoWait(), Shared.Json());
        var command = new AgnesCommand(
            "check",
            "Compares issues with Jira, and fetches up to ten that are missing. Exit 1 where more are, or some could not be fetched.",
            "agnes admin jira check", "agnes admin jira check --max-age-days 365 --no-auto-fix") { days, noFix, dryRun, noWait, json };
        command.SetAction((parsed, cancellation) => StartAsync(
            host, "consistency",
            new JsonObject
            {
                ["max_age_days"] = parsed.GetValue(days),
                ["auto_fix"] = !parsed.GetValue(noFix),
                ["dry_run"] = parsed.GetValue(dryRun)
            },
            parsed.GetValue(noWait), parsed.GetValue(json), cancellation));
        return command;
    }

    private static Option<bool> NoWait() => new("--no-wait") { Description = "Do not wait for the end: agnes admin jira status shows it." };

    private static Option<bool> DryRun(string means) => new("--dry-run") { Description = means };

    /// <summary>Starts a job and waits for its end: what it did is the answer.</summary>
    private static async Task<int> StartAsync(Host host, string what, JsonObject body, bool noWait, bool json,
        CancellationToken cancellation)
    {
        var answer = (await host.Api.PostAsync($"{Address}/{what}", body, cancellation)).OrFail();
        using var started = answer.Json();
        var run = Columns.Field(started.RootElement, "run_id");
        if (noWait)
        {
            AdminApi.Done(host, answer, json, $"Started: {run}.");
            return ExitCode.Ok;
        }

        host.Error.WriteLine($"Started: {run}. It goes on without this command.");
        host.Flush();
        while (true)
        {
            using var status = (await host.Api.GetAsync($"{Address}/status", cancellation)).OrFail().Json();
            var job = AdminApi.List(status.RootElement, "jobs").EnumerateArray().FirstOrDefault(one => Columns.Field(one, "run_id") == run);
            if (job.ValueKind == JsonValueKind.Object && Columns.Field(job, "finished_at") != "-") return Say(host, job, json);
            await Task.Delay(Look, cancellation);
        }
    }

    private static int Say(Host host, JsonElement job, bool json)
    {
        var isOk = Columns.Field(job, "status") == "ok";
        if (json) JsonText.Write(host, job);
        else
        {
            if (job.GetProperty("result") is { ValueKind: JsonValueKind.Object } result)
            {
                foreach (var field in result.EnumerateObject())
                    host.Out.WriteLine($"{field.Name}: {DisplayText.Message(field.Value.ToString())}");
            }

            if (Columns.Field(job, "error") is var error and not "-") host.Error.WriteLine(DisplayText.Message(error));
        }

        return isOk ? ExitCode.Ok : ExitCode.Failed;
    }

    private static void Print(Host host, JsonElement status)
    {
        foreach (var field in (string[])["domain", "webhook_secret_set", "api_configured", "sla_configured"])
            host.Out.WriteLine($"{field}: {Columns.Field(status, field)}");
        foreach (var part in (string[])["deliveries", "events", "fetches"])
        {
            if (status.GetProperty(part) is not { ValueKind: JsonValueKind.Object } fields) continue;
            foreach (var field in fields.EnumerateObject())
                host.Out.WriteLine($"{part}.{field.Name}: {DisplayText.Message(field.Value.ToString())}");
        }

        AdminApi.Print(
            host, AdminApi.List(status, "jobs"), false, AdminApi.Column("ID", "run_id"), AdminApi.Column("KIND", "kind"),
                AdminApi.Column("STATUS", "status"),
            AdminApi.Column("TRIGGER", "trigger"), AdminApi.Column("STARTED", "created_at"), AdminApi.Column("ENDED", "finished_at"),
                AdminApi.Column("ERROR", "error"));
    }
}
