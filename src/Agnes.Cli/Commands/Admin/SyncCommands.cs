using System.CommandLine;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin sync</c>: bringing tables from their sources, and looking on.</summary>
internal static class SyncCommands
{
    private const int ReconnectsMax = 20;
    private static readonly TimeSpan ReconnectPause = TimeSpan.FromSeconds(1);

    /// <summary>The server sends a sign of life every 15 s.</summary>
    private static readonly TimeSpan StreamIdle = TimeSpan.FromSeconds(60);

    public static Command Build(Host host) => new AgnesCommand("sync", "Brings tables from their sources, and shows what happened.")
    {
        Trigger(host), Runs(host), Show(host), Log(host), Cancel(host), Watch(host),
    };

    private static AgnesCommand Trigger(Host host)
    {
        var tables = new Argument<string[]>("table") { Description = "Ids or names; none: all that are due.", Arity = ArgumentArity.ZeroOrMore };
        var watch = new Option<bool>("--watch") { Description = "Wait for its end; exit 1 where anything failed." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Start nothing: say what would be brought, how, and what is in the way. Exit 1 where something is." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "trigger", "Starts a sync.", "agnes admin sync trigger", "agnes admin sync trigger orders customers --watch", "agnes admin sync trigger --dry-run")
        {
            tables, watch, dryRun, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (parsed.GetValue(dryRun)) return await SyncPlanOutput.RunAsync(host, parsed.GetValue(tables) ?? [], parsed.GetValue(json), cancellation);
            var (answer, run) = await StartAsync(host, parsed.GetValue(tables) ?? [], cancellation);
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Sync started{(run is null ? "" : $": {run}")}.");
            if (!parsed.GetValue(watch) || run is null) return ExitCode.Ok;
            host.Flush();
            return await WatchAsync(host, run, host.Error, cancellation) ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    /// <returns>Whether all of it succeeded.</returns>
    public static async Task<bool> TriggerAndWatchAsync(Host host, string[] tables, TextWriter output, CancellationToken cancellation)
    {
        var (_, run) = await StartAsync(host, tables, cancellation);
        return run is null || await WatchAsync(host, run, output, cancellation);
    }

    /// <summary>The tables that a run is about; null: all that are due.</summary>
    public static JsonNode? Body(string[] tables) =>
        tables.Length == 0 ? null : new JsonObject { ["tables"] = new JsonArray([.. tables.Select(table => (JsonNode)table)]) };

    private static async Task<(ApiResponse Answer, string? Run)> StartAsync(Host host, string[] tables, CancellationToken cancellation)
    {
        var answer = await host.Api.PostAsync("/api/sync/trigger", Body(tables), cancellation);
        if (answer.Status == 409) throw new CliException("A sync is running already.") { Hint = "Look on: agnes admin sync watch" };
        using var json = answer.OrFail().Json();
        if (json.RootElement.TryGetProperty("unknown", out var unknown) && unknown.GetArrayLength() > 0) host.Error.WriteLine($"warn: not registered: {string.Join(", ", unknown.EnumerateArray())}");
        return (answer, Columns.Field(json.RootElement, "run_id") is var run && run != "-" ? run : null);
    }

    private static AgnesCommand Runs(Host host)
    {
        var limit = new Option<int>("--limit") { Description = "How many of the newest.", DefaultValueFactory = _ => 20 }.Positive();
        var json = Shared.Json();
        var command = new AgnesCommand("runs", "Lists the newest runs.") { limit, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync($"/api/sync/runs?limit={parsed.GetValue(limit)}", cancellation)).OrFail().Json();
            if (parsed.GetValue(json)) JsonText.Write(host, answer.RootElement);
            else
            {
                AdminApi.Print(
                    host, AdminApi.List(answer.RootElement, "runs"), false,
                    AdminApi.Column("ID", "id"), AdminApi.Column("STATUS", "status"), AdminApi.Column("TRIGGER", "trigger"), AdminApi.Column("STARTED", "started_at"), AdminApi.Column("MS", "duration_ms"), AdminApi.Column("ERROR", "error"));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Show(Host host)
    {
        var id = new Argument<string>("run");
        var json = Shared.Json();
        var command = new AgnesCommand("show", "Shows a run with what it did to each table.") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync($"/api/sync/runs/{AdminApi.Escape(parsed.GetRequiredValue(id))}", cancellation)).OrFail().Json();
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, answer.RootElement);
                return ExitCode.Ok;
            }

            foreach (var field in (string[])["id", "status", "trigger", "requested_by", "started_at", "finished_at", "duration_ms", "error"]) host.Out.WriteLine($"{field}: {Columns.Field(answer.RootElement, field)}");
            if (answer.RootElement.TryGetProperty("steps", out var steps))
            {
                AdminApi.Print(host, steps, false, AdminApi.Column("TABLE", "table"), AdminApi.Column("STATUS", "status"), AdminApi.Column("ROWS", "rows"), AdminApi.Column("BYTES", "bytes"), AdminApi.Column("MS", "duration_ms"), AdminApi.Column("ERROR", "error"));
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Log(Host host)
    {
        const int PageLines = 1000;
        var id = new Argument<string>("run");
        var json = Shared.Json();
        var command = new AgnesCommand("log", "Prints a run's log.") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            long after = 0;
            var all = new JsonArray();
            while (true)
            {
                using var page = (await host.Api.GetAsync($"/api/sync/runs/{AdminApi.Escape(parsed.GetRequiredValue(id))}/log?after={after}&limit={PageLines}", cancellation)).OrFail().Json();
                var lines = AdminApi.List(page.RootElement, "lines");
                foreach (var line in lines.EnumerateArray())
                {
                    if (parsed.GetValue(json)) all.Add(JsonNode.Parse(line.GetRawText()));
                    else host.Out.WriteLine($"{Columns.Field(line, "ts")}  {DisplayText.Message(Columns.Field(line, "line"))}");
                    after = line.GetProperty("seq").GetInt64();
                }

                if (lines.GetArrayLength() < PageLines) break;
            }

            if (parsed.GetValue(json)) JsonText.Write(host, (JsonNode)all);
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Cancel(Host host)
    {
        var id = new Argument<string>("run");
        var json = Shared.Json();
        var command = new AgnesCommand("cancel", "Ends a run; tables that are done stay done.") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.PostAsync($"/api/sync/runs/{AdminApi.Escape(parsed.GetRequiredValue(id))}/cancel", null, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Run {parsed.GetRequiredValue(id)} is ending.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Watch(Host host)
    {
        var id = new Argument<string?>("run") { Description = "A run; default: the newest.", Arity = ArgumentArity.ZeroOrOne };
        var command = new AgnesCommand("watch", "Follows a run to its end; exit 1 where anything failed.") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            var run = parsed.GetValue(id) ?? await NewestAsync(host, cancellation);
            return await WatchAsync(host, run, host.Out, cancellation) ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static async Task<string> NewestAsync(Host host, CancellationToken cancellation)
    {
        using var answer = (await host.Api.GetAsync("/api/sync/runs?limit=1", cancellation)).OrFail().Json();
        var runs = AdminApi.List(answer.RootElement, "runs");
        return runs.GetArrayLength() > 0 ? Columns.Field(runs[0], "id") : throw new CliException("There was no sync yet.") { Hint = "Start one: agnes admin sync trigger" };
    }

    /// <returns>Whether the run, and every table in it, succeeded.</returns>
    private static async Task<bool> WatchAsync(Host host, string run, TextWriter output, CancellationToken cancellation)
    {
        string? last = null;
        for (var connects = 0; ; connects++)
        {
            try
            {
                await foreach (var item in host.Api.EventsAsync($"/api/sync/runs/{AdminApi.Escape(run)}/stream", last, StreamIdle, cancellation))
                {
                    last = item.EventId ?? last;
                    if (Told(item, output) is { } isSuccess) return isSuccess;
                    output.Flush();
                }
            }
            catch (CliException) when (connects > 0 && connects < ReconnectsMax)
            {
                // The server may be restarting; the stream goes on where it was.
            }

            if (connects >= ReconnectsMax) throw new CliException($"The stream of run {run} kept breaking.") { Hint = $"See: agnes admin sync show {run}" };
            await Task.Delay(ReconnectPause, host.Clock, cancellation);
        }
    }

    /// <returns>The outcome, once it is known.</returns>
    private static bool? Told(SseItem<string> item, TextWriter output)
    {
        if (item.Data.Length == 0) return null;
        using var data = JsonDocument.Parse(item.Data);
        var root = data.RootElement;
        var table = Columns.Field(root, "table");
        switch (item.EventType)
        {
            case "table_started":
                output.WriteLine($"{table}: started");
                return null;
            case "table_done":
                output.WriteLine($"{table}: {Columns.Field(root, "status")}, {Columns.Field(root, "rows")} rows");
                return null;
            case "table_failed":
                output.WriteLine($"{table}: FAILED: {DisplayText.Message(Columns.Field(root, "error"))}");
                return null;
            case "run_done":
                var status = Columns.Field(root, "status");
                var error = Columns.Field(root, "error");
                output.WriteLine($"Run {status}{(error == "-" ? "." : $": {DisplayText.Message(error)}")}");
                return status == "ok";
            default:
                return null;
        }
    }
}
