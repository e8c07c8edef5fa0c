using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Commands.Admin;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes statements</c>: what runs on the server now, and its end.</summary>
internal static class StatementsCommand
{
    private const int TextCharsMax = 60;

    public static Command Build(Host host) => new AgnesCommand(
        "statements",
        "Your statements that run on the server now, and a way to end them.",
        "agnes statements list",
        "agnes statements kill 4f1c0a9be2d7") { List(host), Kill(host) };

    private static AgnesCommand List(Host host)
    {
        var all = All();
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists what waits, runs or is being read, oldest first.") { all, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync(Path(parsed.GetValue(all)), cancellation)).OrFail().Json();
            var statements = AdminApi.List(answer.RootElement, "statements");
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, statements);
                return ExitCode.Ok;
            }

            if (statements.GetArrayLength() == 0) host.Out.WriteLine("(none) Nothing is running.");
            else Columns.Write(host.Out, ["ID", "SECONDS", "WHERE", "TABLES", "USER", "STATEMENT"], [.. statements.EnumerateArray().Select(Row)]);
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Kill(Host host)
    {
        var id = new Argument<string>("id") { Description = "As 'agnes statements list' shows it." };
        var all = All();
        var command = new AgnesCommand("kill", "Ends a statement, also at the system that it was sent to.", "agnes statements kill 4f1c0a9be2d7") { id, all };
        command.SetAction(async (parsed, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(id);
            var answer = await host.Api.DeleteAsync($"{Path(parsed.GetValue(all))}/{AdminApi.Escape(wanted)}", cancellation);
            if (answer.Status == 404)
                throw new CliException($"Nothing with the id '{wanted}' runs now.") { Hint = "See: agnes statements list (admins: --all)" };
            answer.OrFail();
            host.Out.WriteLine($"Ended {wanted}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<bool> All() => new("--all") { Description = "Everybody's; for admins." };

    private static string Path(bool all) => all ? "/api/admin/statements" : "/api/statements";

    private static IReadOnlyList<string> Row(JsonElement statement)
    {
        var text = Columns.Field(statement, "sql").ReplaceLineEndings(" ");
        return
        [
            Columns.Field(statement, "id"), Seconds(statement), Columns.Field(statement, "system") is var system && system != "-" ? system : "here",
            string.Join(", ", statement.GetProperty("tables").EnumerateArray().Select(table => table.GetString())) is { Length: > 0 } tables ? tables : "-",
            Columns.Field(statement, "user"), text.Length <= TextCharsMax ? text : $"{text[..TextCharsMax]}…",
        ];
    }

    private static string Seconds(JsonElement statement) =>
        (statement.GetProperty("running_ms").GetInt64() / 1000.0).ToString("0.0", System.Globalization.CultureInfo.InvariantCulture);
}
