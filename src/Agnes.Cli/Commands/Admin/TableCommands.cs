using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

internal static class TableCommands
{
    public static IEnumerable<Command> Build(Host host) => [RegisterTableCommand.Build(host), Update(host), Unregister(host), RollBack(host), List(host), SetAsideCommand.Build(host)];

    private static AgnesCommand Update(Host host)
    {
        var id = new Argument<string>("id") { Description = "The table's id." };
        (Option<string?> Option, string Field)[] fields =
        [
            (new("--name") { Description = "Another name." }, "name"),
            (new("--bucket") { Description = "Where it lies in the source." }, "bucket"),
            (new("--source-table") { Description = "What it is called there." }, "source_table"),
            (new("--query-mode") { Description = "local, remote or materialized." }, "query_mode"),
            (new("--query") { Description = "SQL of a materialized table, or @file; empty clears it." }, "source_query"),
            (new("--description") { Description = "What a row is, for people and agents." }, "description"),
            (new("--sync-schedule") { Description = "'every 1h', 'daily 06:00' (UTC) or 'cron 0 6 * * 1-5 @ Europe/Prague'." }, "sync_schedule"),
            (new("--schema-contract") { Description = "When its source has other columns: evolve (take them), freeze (keep the last version) or discard (leave new ones out)." }, "schema_contract"),
            (new("--source-type") { Description = "Which connector brings it." }, "source_type"),
        ];
        var settings = TableSettings.Option();
        var noSettings = new Option<bool>("--no-settings") { Description = "Take all settings of its files away." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "update-table",
            "Changes what is registered of a table. What is not given stays; empty clears.",
            "agnes admin update-table orders --description 'One row per order' --sync-schedule 'daily 06:00'",
            "agnes admin update-table orders --setting date_format=%d/%m/%Y --setting null_texts=NA,N/A") { id, settings, noSettings, json };
        foreach (var (option, _) in fields)
        {
            // '--query=' without a value clears it.
            option.Arity = ArgumentArity.ZeroOrOne;
            command.Add(option);
        }

        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject();
            foreach (var (option, field) in fields)
            {
                if (parsed.GetResult(option) is not { Implicit: false }) continue;
                var value = parsed.GetValue(option) ?? "";
                if (field == "source_query") value = await TextOrFile.ReadAsync(value, cancellation);
                body[field] = value.Length == 0 ? null : value;
            }

            if (parsed.GetValue(noSettings)) body["settings"] = null;
            else if (parsed.GetValue(settings) is { Length: > 0 } given) body["settings"] = await TableSettings.ReadAsync(given, cancellation);
            if (body.Count == 0) throw new CliException("Nothing to change was given.", ExitCode.Usage) { Hint = "See: agnes admin update-table --help" };
            var answer = (await host.Api.PutAsync($"/api/admin/registry/{AdminApi.Escape(parsed.GetRequiredValue(id))}", body, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Updated {parsed.GetRequiredValue(id)}: {string.Join(", ", body.Select(field => field.Key))}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Unregister(Host host)
    {
        var id = new Argument<string>("id") { Description = "The table's id." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var json = Shared.Json();
        var command = new AgnesCommand("unregister-table", "Takes a table away: it is served no longer, and leaves laptops with their next pull. The source is not touched.") { id, yes, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var table = parsed.GetRequiredValue(id);
            if (!parsed.GetValue(yes) && !Prompt.Confirm(host, $"Unregister '{table}'?"))
            {
                host.Error.WriteLine("Nothing was changed.");
                return ExitCode.Ok;
            }

            var answer = (await host.Api.DeleteAsync($"/api/admin/registry/{AdminApi.Escape(table)}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Unregistered {table}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand RollBack(Host host)
    {
        var id = new Argument<string>("id") { Description = "The table's id." };
        var version = new Argument<long>("version") { Description = "The version to go back to, as 'agnes catalog --history' lists it." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "rollback-table",
            "Serves a table's rows of before. They stay until the source brings others than those of now; laptops get them with their next pull.",
            "agnes admin rollback-table orders 1767225600000000") { id, version, yes, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (table, number) = (parsed.GetRequiredValue(id), parsed.GetRequiredValue(version));
            if (!parsed.GetValue(yes) && !Prompt.Confirm(host, $"Serve version {number} of '{table}'?"))
            {
                host.Error.WriteLine("Nothing was changed.");
                return ExitCode.Ok;
            }

            var body = new System.Text.Json.Nodes.JsonObject { ["number"] = number };
            var answer = (await host.Api.PostAsync($"/api/admin/registry/{AdminApi.Escape(table)}/rollback", body, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"'{table}' has the rows of version {number}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list-tables", "Lists the registered tables.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/api/admin/registry", cancellation)).OrFail().Json();
            if (parsed.GetValue(json)) JsonText.Write(host, answer.RootElement);
            else
            {
                AdminApi.Print(
                    host, AdminApi.List(answer.RootElement, "tables"), false,
                    AdminApi.Column("ID", "id"), AdminApi.Column("NAME", "name"), AdminApi.Column("SOURCE", "source_type"), AdminApi.Column("MODE", "query_mode"), AdminApi.Column("SCHEDULE", "sync_schedule"),
                    AdminApi.Column("FAILED", "sync_failures"), AdminApi.Column("NEXT TRY", "next_try"), AdminApi.Column("LAST ERROR", "last_sync_error"));
            }

            return ExitCode.Ok;
        });
        return command;
    }
}

/// <summary>A text given as such, or as <c>@file</c>.</summary>
internal static class TextOrFile
{
    public static async Task<string> ReadAsync(string text, CancellationToken cancellation)
    {
        if (!text.StartsWith('@')) return text;
        return File.Exists(text[1..]) ? await File.ReadAllTextAsync(text[1..], cancellation) : throw new CliException($"There is no file '{text[1..]}'.", ExitCode.Usage);
    }
}
