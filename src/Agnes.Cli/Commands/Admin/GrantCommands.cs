using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

internal static class GrantCommands
{
    public static Command Build(Host host) => new AgnesCommand("grant", "What groups may read.") { List(host), Create(host), Delete(host), Types(host) };

    private static AgnesCommand List(Host host)
    {
        var type = new Option<string?>("--type") { Description = "Only grants of this resource type, such as 'table'." };
        var group = new Option<string?>("--group") { Description = "Only those of this group (name or id)." };
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists grants.", "agnes admin grant list --group analysts") { type, group, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var query = new List<string>();
            if (parsed.GetValue(type) is { } wanted) query.Add($"resource_type={Uri.EscapeDataString(wanted)}");
            if (parsed.GetValue(group) is { } of) query.Add($"group_id={Uri.EscapeDataString(await AdminApi.GroupIdAsync(host, of, cancellation))}");
            using var grants = (await host.Api.GetAsync($"/api/admin/grants{(query.Count > 0 ? "?" : "")}{string.Join('&', query)}", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, grants.RootElement, parsed.GetValue(json),
                ("GROUP", grant => Columns.Field(grant, "group_name") is var name && name != "-" ? name : Columns.Field(grant, "group_id")),
                AdminApi.Column("RESOURCE TYPE", "resource_type"), AdminApi.Column("RESOURCE ID", "resource_id"), AdminApi.Column("ASSIGNED BY", "assigned_by"), AdminApi.Column("ID", "id"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Create(Host host)
    {
        var group = new Argument<string>("group") { Description = "Name or id." };
        var type = new Argument<string>("type") { Description = "Resource type, such as 'table'." };
        var resources = new Argument<string[]>("resource") { Description = "One or more resource ids; of a table the id that 'agnes admin list-tables' shows.", Arity = ArgumentArity.OneOrMore };
        var json = Shared.Json();
        var command = new AgnesCommand("create", "Lets a group read something; effective on the next request.", "agnes admin grant create analysts table orders", "agnes admin grant create analysts table orders customers products") { group, type, resources, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.GroupIdAsync(host, parsed.GetRequiredValue(group), cancellation);
            var ids = parsed.GetRequiredValue(resources);
            if (ids.Length > 1)
            {
                var bulk = new JsonObject { ["group_id"] = id, ["resource_type"] = parsed.GetRequiredValue(type), ["add"] = new JsonArray([.. ids.Select(resource => (JsonNode)resource)]) };
                var all = (await host.Api.PostAsync("/api/admin/grants/bulk", bulk, cancellation)).OrFail();
                AdminApi.Done(host, all, parsed.GetValue(json), $"'{parsed.GetRequiredValue(group)}' may now read {ids.Length} of type {parsed.GetRequiredValue(type)}.");
                return ExitCode.Ok;
            }

            var body = new JsonObject { ["group_id"] = id, ["resource_type"] = parsed.GetRequiredValue(type), ["resource_id"] = ids[0] };
            var answer = (await host.Api.PostAsync("/api/admin/grants", body, cancellation)).OrFail();
            using var grant = answer.Json();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"'{parsed.GetRequiredValue(group)}' may now read {parsed.GetRequiredValue(type)} '{ids[0]}' (grant {Columns.Field(grant.RootElement, "id")}).");
            if (Columns.Field(grant.RootElement, "exists") == "no") host.Error.WriteLine($"warn: there is no {parsed.GetRequiredValue(type)} '{ids[0]}' (yet)");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Delete(Host host)
    {
        var grant = new Argument<string>("grant") { Description = "Id, as 'agnes admin grant list' shows it." };
        var json = Shared.Json();
        var command = new AgnesCommand("delete", "Takes a grant back; effective on the next request, and on laptops with the next pull.") { grant, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.DeleteAsync($"/api/admin/grants/{AdminApi.Escape(parsed.GetRequiredValue(grant))}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Grant {parsed.GetRequiredValue(grant)} revoked.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Types(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("resource-types", "Lists what can be granted.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var types = (await host.Api.GetAsync("/api/admin/resource-types", cancellation)).OrFail().Json();
            AdminApi.Print(host, AdminApi.List(types.RootElement, "resource_types"), parsed.GetValue(json), AdminApi.Column("KEY", "key"), AdminApi.Column("DISPLAY NAME", "display_name"), AdminApi.Column("ID FORMAT", "id_format"));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary><c>agnes admin access explain</c>, and the shorter name that it had first.</summary>
    public static Command Explain(Host host, string name)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var resource = new Argument<string>("resource") { Description = "Table (id or name), or the id of a resource of --type." };
        var type = new Option<string>("--type") { Description = "Resource type.", DefaultValueFactory = _ => "table" };
        var json = Shared.Json();
        var command = new AgnesCommand(name, "Says why a user can or cannot use a resource.", "agnes admin access explain ana@example.com orders", "agnes admin access explain ana@example.com tools/sql --type marketplace_plugin") { user, resource, type, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = $"/api/admin/access/explain?user={Uri.EscapeDataString(parsed.GetRequiredValue(user))}&type={Uri.EscapeDataString(parsed.GetRequiredValue(type))}&id={Uri.EscapeDataString(parsed.GetRequiredValue(resource))}";
            using var answer = (await host.Api.GetAsync(path, cancellation)).OrFail().Json();
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, answer.RootElement);
                return ExitCode.Ok;
            }

            host.Out.WriteLine($"Allowed: {Columns.Field(answer.RootElement, "allowed")}");
            host.Out.WriteLine($"Reason: {Columns.Field(answer.RootElement, "reason")}");
            foreach (var (label, field) in (ReadOnlySpan<(string, string)>)[("Through", "via_groups"), ("Granted to", "granted_to")])
            {
                var names = answer.RootElement.TryGetProperty(field, out var groups) ? string.Join(", ", groups.EnumerateArray().Select(group => Columns.Field(group, "group_name"))) : "";
                if (names.Length > 0) host.Out.WriteLine($"{label}: {names}");
            }

            return ExitCode.Ok;
        });
        return command;
    }
}
