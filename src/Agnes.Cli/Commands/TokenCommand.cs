using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes auth token</c>: personal access tokens.</summary>
internal static class TokenCommand
{
    private const int TtlDaysMax = 3650;
    private const string GeneralScope = "general";

    public static Command Build(Host host) => new AgnesCommand("token", "Makes, lists and revokes personal access tokens.") { Create(host), List(host), Revoke(host) };

    private static AgnesCommand Create(Host host)
    {
        var name = new Option<string>("--name") { Description = "What it is for.", Required = true };
        var ttl = new Option<string>("--ttl") { Description = "How long it lives: days as 90d, or 'never'.", DefaultValueFactory = _ => "90d" };
        var scope = new Option<string>("--scope") { Description = "What it may be used for: general, read, marketplace or bootstrap-analyst.", DefaultValueFactory = _ => GeneralScope };
        var raw = new Option<bool>("--raw") { Description = "Print the token alone." };
        var json = Shared.Json();
        var command = new AgnesCommand("create", "Makes a token; it is shown once.", "agnes auth token create --name laptop --ttl 30d", "export AGNES_TOKEN=$(agnes auth token create --name ci --raw)") { name, ttl, scope, raw, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject { ["name"] = parsed.GetRequiredValue(name), ["expires_in_days"] = Days(parsed.GetRequiredValue(ttl)) };
            if (parsed.GetRequiredValue(scope) is var narrow && narrow != GeneralScope) body["scope"] = narrow;
            using var answer = (await host.Api.PostAsync("/auth/tokens", body, cancellation)).OrFail().Json();
            var token = Columns.Field(answer.RootElement, "token") is var found && found != "-" ? found : Columns.Field(answer.RootElement, "access_token");
            if (parsed.GetValue(raw)) host.Out.WriteLine(token);
            else if (parsed.GetValue(json)) JsonText.Write(host, answer.RootElement);
            else
            {
                host.Out.WriteLine($"Token: {token}");
                host.Out.WriteLine("It is not shown again.");
                host.Out.WriteLine($"Id: {Columns.Field(answer.RootElement, "id")}");
                host.Out.WriteLine($"Name: {Columns.Field(answer.RootElement, "name")}");
                host.Out.WriteLine($"Expires: {Columns.Field(answer.RootElement, "expires_at")}");
                host.Out.WriteLine($"export AGNES_TOKEN={token}");
            }

            return ExitCode.Ok;
        });
        return command;
    }

    private static int? Days(string ttl)
    {
        if (ttl is "never" or "none" or "no-expiry") return null;
        if (ttl.EndsWith('d') && int.TryParse(ttl[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var days) && days is >= 1 and <= TtlDaysMax) return days;
        throw new CliException($"--ttl is a number of days such as 90d (at most {TtlDaysMax}d), or 'never'; '{ttl}' is neither.", ExitCode.Usage);
    }

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists your tokens.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/auth/tokens", cancellation)).OrFail().Json();
            if (parsed.GetValue(json))
            {
                JsonText.Write(host, answer.RootElement);
                return ExitCode.Ok;
            }

            Columns.Write(host.Out, ["ID", "NAME", "PREFIX", "EXPIRES", "LAST USED", "STATUS"],
            [
                .. answer.RootElement.EnumerateArray().Select(token => (IReadOnlyList<string>)
                [
                    Columns.Field(token, "id"), Columns.Field(token, "name"), Columns.Field(token, "prefix"), Columns.Field(token, "expires_at"), Columns.Field(token, "last_used_at"),
                    Columns.Field(token, "revoked_at") == "-" ? "active" : "revoked",
                ]),
            ]);
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Revoke(Host host)
    {
        var which = new Argument<string>("token") { Description = "Id, prefix or name." };
        var command = new AgnesCommand("revoke", "Ends a token at once.", "agnes auth token revoke laptop") { which };
        command.SetAction(async (parsed, cancellation) =>
        {
            var wanted = parsed.GetRequiredValue(which);
            using var answer = (await host.Api.GetAsync("/auth/tokens", cancellation)).OrFail().Json();
            var found = answer.RootElement.EnumerateArray().FirstOrDefault(token => Matches(token, wanted));
            if (found.ValueKind != JsonValueKind.Object) throw new CliException($"You have no token '{wanted}'.") { Hint = "See: agnes auth token list" };
            var id = Columns.Field(found, "id");
            (await host.Api.DeleteAsync($"/auth/tokens/{Uri.EscapeDataString(id)}", cancellation)).OrFail();
            host.Out.WriteLine($"Token '{Columns.Field(found, "name")}' ({id}) revoked.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static bool Matches(JsonElement token, string wanted) =>
        ((string[])["id", "prefix", "name"]).Any(field => token.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() == wanted);
}
