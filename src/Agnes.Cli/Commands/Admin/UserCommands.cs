using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

internal static class UserCommands
{
    private const int PasswordCharactersMin = 8;

    public static IEnumerable<Command> Build(Host host) =>
    [
        Add(host), List(host), Remove(host),
        Switch(host, "deactivate", "Takes all access from a user, at once; nothing is deleted.", "deactivated"),
        Switch(host, "activate", "Gives a deactivated user access again.", "activated"),
        ResetPassword(host), SetPassword(host), SetRole(),
    ];

    private static AgnesCommand Add(Host host)
    {
        var email = new Argument<string>("email");
        var name = new Option<string?>("--name") { Description = "Full name; default: what stands before the @." };
        var json = Shared.Json();
        var command = new AgnesCommand("add-user", "Adds a user. They can sign in, and see nothing until a group of theirs is granted something.", "agnes admin add-user ana@example.com --name 'Ana Lima'") { email, name, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var address = parsed.GetRequiredValue(email);
            var answer = (await host.Api.PostAsync("/api/users", new JsonObject { ["email"] = address, ["name"] = parsed.GetValue(name) ?? address.Split('@')[0] }, cancellation)).OrFail();
            using var user = answer.Json();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Added {Columns.Field(user.RootElement, "email")} (id {Columns.Field(user.RootElement, "id")}). In no group yet: agnes admin group add-member <group> {address}");
            if (!parsed.GetValue(json) && Columns.Field(user.RootElement, "invite_url") is var link && link != "-") host.Out.WriteLine($"Invitation: {link}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list-users", "Lists all users.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var users = (await host.Api.GetAsync("/api/users", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, users.RootElement, parsed.GetValue(json),
                AdminApi.Column("EMAIL", "email"),
                ("ROLE", user => Columns.Field(user, "is_admin") == "yes" ? "admin" : "user"),
                ("STATE", user => Columns.Field(user, "active") == "no" ? "DEACTIVATED" : "active"),
                AdminApi.Column("ID", "id"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Remove(Host host)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("remove-user", "Deletes a user with their tokens and memberships. To keep them, deactivate.") { user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.UserIdAsync(host, parsed.GetRequiredValue(user), cancellation);
            var answer = (await host.Api.DeleteAsync($"/api/users/{AdminApi.Escape(id)}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Removed {parsed.GetRequiredValue(user)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Switch(Host host, string verb, string description, string done)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var json = Shared.Json();
        var command = new AgnesCommand(verb, description) { user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.UserIdAsync(host, parsed.GetRequiredValue(user), cancellation);
            var answer = (await host.Api.PostAsync($"/api/users/{AdminApi.Escape(id)}/{verb}", null, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"{parsed.GetRequiredValue(user)} {done}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand ResetPassword(Host host)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var json = Shared.Json();
        var command = new AgnesCommand("reset-password", "Makes a link with which the user sets a new password.") { user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var id = await AdminApi.UserIdAsync(host, parsed.GetRequiredValue(user), cancellation);
            var answer = (await host.Api.PostAsync($"/api/users/{AdminApi.Escape(id)}/reset-password", null, cancellation)).OrFail();
            using var link = answer.Json();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Link: {Columns.Field(link.RootElement, "reset_url")}\nSent by e-mail: {Columns.Field(link.RootElement, "email_sent")}");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand SetPassword(Host host)
    {
        var user = new Argument<string>("user") { Description = "E-mail or id." };
        var password = new Option<string?>("--password") { Description = "Better left out: it is asked for twice without being shown, or read from the standard input." };
        var json = Shared.Json();
        var command = new AgnesCommand("set-password", $"Sets a user's password (at least {PasswordCharactersMin} characters).") { user, password, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var secret = parsed.GetValue(password) ?? Prompt.Hidden(host, "Password: ") ?? "";
            if (parsed.GetValue(password) is null && !Console.IsInputRedirected && Prompt.Hidden(host, "Again: ") != secret) throw new CliException("The two passwords differ.");
            if (secret.Length < PasswordCharactersMin) throw new CliException($"A password has at least {PasswordCharactersMin} characters.", ExitCode.Usage);
            var id = await AdminApi.UserIdAsync(host, parsed.GetRequiredValue(user), cancellation);
            var answer = (await host.Api.PostAsync($"/api/users/{AdminApi.Escape(id)}/set-password", new JsonObject { ["password"] = secret }, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Password of {parsed.GetRequiredValue(user)} set.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand SetRole()
    {
        var user = new Argument<string>("user");
        var role = new Argument<string>("role");
        var command = new AgnesCommand("set-role", "Roles are memberships now; says what to run instead.") { user, role };
        command.SetAction((Func<ParseResult, int>)(parsed =>
            throw new CliException("Users have no roles of their own; what they may do comes from their groups.", ExitCode.Usage) { Hint = $"To make an admin: agnes admin group add-member Admin {parsed.GetValue(user)}" }));
        return command;
    }
}
