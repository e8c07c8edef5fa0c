using System.CommandLine;
using System.Text.Json;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin access</c>: who may read what, and why.</summary>
internal static class AccessCommands
{
    private const string ViewAs = "X-Agnes-View-As";

    public static Command Build(Host host) => new AgnesCommand(
        "access", "Says who may read what, and why.", "agnes admin access explain ana@example.com orders", "agnes admin access simulate ana@example.com")
    {
        GrantCommands.Explain(host, "explain"), Show(host), Who(host), Simulate(host),
    };

    private static AgnesCommand Show(Host host)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("show", "Lists everything a user was granted, and through which groups.", "agnes admin access show ana@example.com") { user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.UserIdAsync(host, parsed.GetRequiredValue(user), cancellation);
            using var answer = (await host.Api.GetAsync($"/api/admin/users/{AdminApi.Escape(id)}/effective-access", cancellation)).OrFail().Json();
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, answer.RootElement);
                return ExitCode.Ok;
            }

            if (answer.RootElement.GetProperty("is_admin").GetBoolean()) host.Out.WriteLine("An admin: may use everything. Granted besides:");
            AdminApi.Print(
                host, answer.RootElement.GetProperty("items"), json: false,
                AdminApi.Column("RESOURCE TYPE", "resource_type"), AdminApi.Column("RESOURCE ID", "resource_id"), ("THROUGH", item => Groups(item, "via_groups")));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Who(Host host)
    {
        var resource = new Argument<string>("resource") { Description = "Table (id or name), or the id of a resource of --type." };
        var type = new Option<string>("--type") { Description = "Resource type.", DefaultValueFactory = _ => "table" };
        var json = Shared.Json();
        var command = new AgnesCommand("who", "Lists everybody who may use a resource, and through which groups.", "agnes admin access who orders") { resource, type, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = $"/api/admin/access/holders?type={Uri.EscapeDataString(parsed.GetRequiredValue(type))}&id={Uri.EscapeDataString(parsed.GetRequiredValue(resource))}";
            using var answer = (await host.Api.GetAsync(path, cancellation)).OrFail().Json();
            AdminApi.Print(
                host, parsed.GetValue(json) ? answer.RootElement : answer.RootElement.GetProperty("people"), parsed.GetValue(json),
                AdminApi.Column("E-MAIL", "email"), AdminApi.Column("ALLOWED", "allowed"), AdminApi.Column("ADMIN", "is_admin"), ("THROUGH", item => Groups(item, "via_groups")));
            if (Columns.Field(answer.RootElement, "resource_exists") == "no") host.Error.WriteLine($"warn: there is no {parsed.GetRequiredValue(type)} '{parsed.GetRequiredValue(resource)}' (yet)");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Simulate(Host host)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("simulate", "Shows the tables that a user sees, asked as that user. Reads only; every use is in the audit log under your name.", "agnes admin access simulate ana@example.com") { user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = host.ApiFor(host.Settings.Server(), host.Settings.Token(), new(ViewAs, parsed.GetRequiredValue(user)));
            using var answer = (await api.GetAsync("/api/v2/catalog", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, parsed.GetValue(json) ? answer.RootElement : AdminApi.List(answer.RootElement, "tables"), parsed.GetValue(json),
                AdminApi.Column("ID", "id"), AdminApi.Column("NAME", "name"), AdminApi.Column("QUERY MODE", "query_mode"), AdminApi.Column("ROWS", "rows"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Groups(JsonElement item, string field) =>
        item.TryGetProperty(field, out var groups) ? string.Join(", ", groups.EnumerateArray().Select(group => Columns.Field(group, "group_name"))) : "";
}
