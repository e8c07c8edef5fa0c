using System.CommandLine;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

internal static class SetAsideCommand
{
    public static Command Build(Host host)
    {
        var id = new Argument<string>("id") { Description = "The table's id." };
        var limit = new Option<int>("--limit") { Description = "How many rows to show.", DefaultValueFactory = _ => 100 };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "set-aside",
            "Shows the rows of a table's files that were left out of it, with file, line and reason, where bad_rows is set_aside.",
            "agnes admin update-table orders --setting bad_rows=set_aside",
            "agnes admin set-aside orders") { id, limit, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = $"/api/admin/registry/{AdminApi.Escape(parsed.GetRequiredValue(id))}/set-aside?limit={parsed.GetValue(limit)}";
            using var answer = (await host.Api.GetAsync(path, cancellation)).OrFail().Json();
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, answer.RootElement);
                return ExitCode.Ok;
            }

            var rows = AdminApi.List(answer.RootElement, "rows");
            AdminApi.Print(host, rows, false, AdminApi.Column("FILE", "file"), AdminApi.Column("LINE", "line"), AdminApi.Column("REASON", "reason"), AdminApi.Column("TEXT", "text"));
            if (Columns.Field(answer.RootElement, "count") is var count && count != $"{rows.GetArrayLength()}") host.Out.WriteLine($"{rows.GetArrayLength()} of {count} are shown; see more with --limit.");
            return ExitCode.Ok;
        });
        return command;
    }
}
