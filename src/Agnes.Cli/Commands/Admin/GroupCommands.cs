using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

internal static class GroupCommands
{
    public static Command Build(Host host) => new AgnesCommand("group", "Groups and their members. Grants are made to groups.")
    {
        List(host), Create(host), Delete(host), Members(host), AddMember(host), RemoveMember(host),
    };

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists all groups.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var groups = (await host.Api.GetAsync("/api/admin/groups", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, groups.RootElement, parsed.GetValue(json),
                AdminApi.Column("NAME", "name"), AdminApi.Column("DESCRIPTION", "description"), AdminApi.Column("SYSTEM", "is_system"), AdminApi.Column("MEMBERS", "member_count"), AdminApi.Column("GRANTS", "grant_count"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Create(Host host)
    {
        var name = new Argument<string>("name");
        var description = new Option<string?>("--description") { Description = "Whom the group is for." };
        var json = Shared.Json();
        var command = new AgnesCommand("create", "Adds a group.", "agnes admin group create analysts --description 'Read access to sales'") { name, description, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject { ["name"] = parsed.GetRequiredValue(name) };
            if (parsed.GetValue(description) is { } text) body["description"] = text;
            var answer = (await host.Api.PostAsync("/api/admin/groups", body, cancellation)).OrFail();
            using var group = answer.Json();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Group '{parsed.GetRequiredValue(name)}' created (id {Columns.Field(group.RootElement, "id")}).");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Delete(Host host)
    {
        var group = new Argument<string>("group") { Description = "Name or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("delete", "Deletes a group with its memberships and grants.") { group, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.GroupIdAsync(host, parsed.GetRequiredValue(group), cancellation);
            var answer = (await host.Api.DeleteAsync($"/api/admin/groups/{AdminApi.Escape(id)}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Group '{parsed.GetRequiredValue(group)}' deleted.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Members(Host host)
    {
        var group = new Argument<string>("group") { Description = "Name or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("members", "Lists a group's members.") { group, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.GroupIdAsync(host, parsed.GetRequiredValue(group), cancellation);
            using var members = (await host.Api.GetAsync($"/api/admin/groups/{AdminApi.Escape(id)}/members", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, members.RootElement, parsed.GetValue(json),
                AdminApi.Column("EMAIL", "email"), AdminApi.Column("NAME", "name"), AdminApi.Column("SOURCE", "source"), AdminApi.Column("ACTIVE", "active"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand AddMember(Host host)
    {
        var group = new Argument<string>("group") { Description = "Name or id." };
        var email = new Argument<string>("email");
        var json = Shared.Json();
        var command = new AgnesCommand("add-member", "Adds a user to a group.", "agnes admin group add-member analysts ana@example.com") { group, email, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.GroupIdAsync(host, parsed.GetRequiredValue(group), cancellation);
            var answer = (await host.Api.PostAsync($"/api/admin/groups/{AdminApi.Escape(id)}/members", new JsonObject { ["email"] = parsed.GetRequiredValue(email) }, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"{parsed.GetRequiredValue(email)} is now in '{parsed.GetRequiredValue(group)}'.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand RemoveMember(Host host)
    {
        var group = new Argument<string>("group") { Description = "Name or id." };
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("remove-member", "Takes a user out of a group.") { group, user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.GroupIdAsync(host, parsed.GetRequiredValue(group), cancellation);
            var member = await AdminApi.UserIdAsync(host, parsed.GetRequiredValue(user), cancellation);
            var answer = (await host.Api.DeleteAsync($"/api/admin/groups/{AdminApi.Escape(id)}/members/{AdminApi.Escape(member)}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"{parsed.GetRequiredValue(user)} is no longer in '{parsed.GetRequiredValue(group)}'.");
            return ExitCode.Ok;
        });
        return command;
    }
}
