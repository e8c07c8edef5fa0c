using System.CommandLine;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin token</c>: everybody's personal access tokens.</summary>
internal static class TokenCommands
{
    public static Command Build(Host host) => new AgnesCommand("token", "Lists and revokes anybody's personal access tokens.") { List(host), Revoke(host) };

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists all tokens, newest first.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var tokens = (await host.Api.GetAsync("/auth/admin/tokens", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, tokens.RootElement, parsed.GetValue(json),
                AdminApi.Column("OWNER", "user_email"), AdminApi.Column("NAME", "name"), AdminApi.Column("EXPIRES", "expires_at"), AdminApi.Column("LAST USED", "last_used_at"),
                AdminApi.Column("FROM", "last_used_ip"), AdminApi.Column("REVOKED", "revoked_at"), AdminApi.Column("ID", "id"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Revoke(Host host)
    {
        var token = new Argument<string>("token") { Description = "Id, as 'agnes admin token list' shows it." };
        var json = Shared.Json();
        var command = new AgnesCommand("revoke", "Ends anybody's token at once.") { token, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var answer = (await host.Api.DeleteAsync($"/auth/admin/tokens/{AdminApi.Escape(parsed.GetRequiredValue(token))}", cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Token {parsed.GetRequiredValue(token)} revoked.");
            return ExitCode.Ok;
        });
        return command;
    }
}
