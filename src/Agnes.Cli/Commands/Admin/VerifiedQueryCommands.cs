using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin verified-queries</c>: answers that an admin vouches for.</summary>
internal static class VerifiedQueryCommands
{
    public static Command Build(Host host) => new AgnesCommand("verified-queries", "Questions with checked answers. Imported ones are seen by admins only, until one is marked canonical.")
    {
        Import(host), Mark(host, "mark", "Calls a query the one right answer to its question; analysts of its tables see it from then on.", canonical: true),
        Mark(host, "unmark", "Takes the mark back; analysts no longer see it.", canonical: false), Delete(host),
    };

    private static AgnesCommand Import(Host host)
    {
        var path = new Argument<string>("path") { Description = "A YAML file, or a folder of <category>/<name>.yml, with question, parameters and sql." };
        var json = Shared.Json();
        var command = new AgnesCommand("import", "Adds or replaces queries; a replaced one whose SQL changed loses its mark.", "agnes admin verified-queries import queries/") { path, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.PostFilesAsync("/api/admin/verified-queries/import", YamlFiles.Read(parsed.GetRequiredValue(path)), YamlFiles.CheckIdle, cancellation)).OrFail();
            using var body = answer.Json();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"{Columns.Field(body.RootElement, "count")} queries imported. Mark one: agnes admin verified-queries mark <category>/<name>");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Mark(Host host, string name, string description, bool canonical)
    {
        var id = new Argument<string>("id") { Description = "category/name, as 'agnes verified list' shows it." };
        var json = Shared.Json();
        var command = new AgnesCommand(name, description, $"agnes admin verified-queries {name} revenue/revenue_by_channel") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject { ["id"] = parsed.GetRequiredValue(id), ["canonical"] = canonical };
            var answer = (await host.Api.PostAsync("/api/admin/verified-queries/canonical", body, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"{parsed.GetRequiredValue(id)} is {(canonical ? "canonical" : "no longer canonical")}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Delete(Host host)
    {
        var id = new Argument<string>("id") { Description = "category/name." };
        var json = Shared.Json();
        var command = new AgnesCommand("delete", "Removes a query.") { id, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.DeleteAsync($"/api/admin/verified-queries/{YamlFiles.Path(parsed.GetRequiredValue(id))}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Query {parsed.GetRequiredValue(id)} deleted.");
            return ExitCode.Ok;
        });
        return command;
    }
}
