using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin config</c> and <c>agnes admin secret</c>: the instance's configuration.</summary>
internal static class ConfigCommands
{
    public static IEnumerable<Command> Build(Host host) =>
    [
        new AgnesCommand(
            "config", "Shows and changes the instance's configuration.", "agnes admin config show instance", "agnes admin config set instance.name=Acme --dry-run", "agnes admin config unset email.smtp_user")
        {
            Show(host), Set(host), Unset(host),
        },
        new AgnesCommand("secret", "Keeps secrets on the server, under the names of environment variables. Values never come out again.") { ListSecrets(host), SetSecret(host), RemoveSecret(host) },
    ];

    private static AgnesCommand Show(Host host)
    {
        var section = new Argument<string?>("section") { Description = "Only this section.", Arity = ArgumentArity.ZeroOrOne };
        var command = new AgnesCommand("show", "Prints the configuration as JSON, secrets masked.") { section };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/api/admin/server-config", cancellation)).OrFail().Json();
            var sections = answer.RootElement.GetProperty("sections");
            if (parsed.GetValue(section) is { } name && !sections.TryGetProperty(name, out sections)) throw new CliException($"There is no section '{name}'.") { Hint = "See: agnes admin config show" };
            JsonText.Write(host, sections);
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Set(Host host)
    {
        var values = new Argument<string[]>("path=value") { Description = "Such as instance.name=Acme; a value that is JSON is taken as JSON. The path's first step is the section.", Arity = ArgumentArity.OneOrMore };
        var (danger, dry, json) = (Danger(), Dry(), Shared.Json());
        var command = new AgnesCommand("set", "Changes values; they count from the next start.", "agnes admin config set instance.name=Acme", "agnes admin config set auth.allowed_domain=example.com --confirm-danger") { values, danger, dry, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var sections = new JsonObject();
            foreach (var given in parsed.GetRequiredValue(values))
            {
                if (given.Split('=', 2) is not [{ Length: > 0 } path, var value] || path.Split('.') is not { Length: > 1 } keys) throw new CliException($"'{given}' is not of the form section.key=value.", ExitCode.Usage);
                Put(sections, keys, Value(value));
            }

            return await SendAsync(host, parsed, new JsonObject { ["sections"] = sections }, danger, dry, json, cancellation);
        });
        return command;
    }

    private static AgnesCommand Unset(Host host)
    {
        var paths = new Argument<string[]>("path") { Description = "Such as email.smtp_user.", Arity = ArgumentArity.OneOrMore };
        var (danger, dry, json) = (Danger(), Dry(), Shared.Json());
        var command = new AgnesCommand("unset", "Removes values from the overlay, so that the operator's file counts again.") { paths, danger, dry, json };
        command.SetAction((parsed, cancellation) =>
            SendAsync(host, parsed, new JsonObject { ["$unset"] = new JsonArray([.. parsed.GetRequiredValue(paths).Select(path => (JsonNode)path)]) }, danger, dry, json, cancellation));
        return command;
    }

    private static async Task<int> SendAsync(Host host, ParseResult parsed, JsonObject body, Option<bool> danger, Option<bool> dry, Option<bool> json, CancellationToken cancellation)
    {
        body["confirm_danger"] = parsed.GetValue(danger);
        if (parsed.GetValue(dry)) body["dry_run"] = true;
        var answer = (await host.Api.PostAsync("/api/admin/server-config", body, cancellation)).OrFail();
        using var done = answer.Json();
        if (parsed.GetValue(json))
        {
            JsonText.Write(host, done.RootElement);
            return ExitCode.Ok;
        }

        if (done.RootElement.TryGetProperty("without_effect", out var unread) && unread.GetArrayLength() > 0)
            host.Error.WriteLine(DisplayText.Message($"warn: nothing on this server reads {string.Join(", ", unread.EnumerateArray())}: it is kept, without effect"));
        if (done.RootElement.TryGetProperty("diff", out var rows))
        {
            AdminApi.Print(host, rows, json: false, AdminApi.Column("PATH", "path"), ("BEFORE", row => Raw(row, "before")), ("AFTER", row => Raw(row, "after")));
            host.Out.WriteLine("Nothing was changed: this was a dry run.");
            return ExitCode.Ok;
        }

        host.Out.WriteLine($"Changed: {Columns.Field(done.RootElement, "diff_count")}.{(Columns.Field(done.RootElement, "restart_required") == "yes" ? " Restart the server for it to count." : "")}");
        return ExitCode.Ok;
    }

    private static AgnesCommand ListSecrets(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists the names of the stored secrets.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/api/admin/secrets", cancellation)).OrFail().Json();
            AdminApi.Print(host, answer.RootElement.GetProperty("secrets"), parsed.GetValue(json), AdminApi.Column("NAME", "name"), AdminApi.Column("SET IN THE ENVIRONMENT", "overridden_by_environment"));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand SetSecret(Host host)
    {
        var name = new Argument<string>("name") { Description = "Such as KEBOOLA_STORAGE_TOKEN." };
        var command = new AgnesCommand("set", "Stores a secret, which is asked for without being shown, or read from the standard input.", "agnes admin secret set KEBOOLA_STORAGE_TOKEN < token.txt") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            var value = Prompt.Hidden(host, "Value: ");
            if (string.IsNullOrWhiteSpace(value)) throw new CliException("The value is empty.", ExitCode.Usage);
            (await host.Api.PutAsync($"/api/admin/secrets/{AdminApi.Escape(parsed.GetRequiredValue(name))}", new JsonObject { ["value"] = value.Trim() }, cancellation)).OrFail();
            host.Out.WriteLine($"{parsed.GetRequiredValue(name)} stored; it counts from the next start.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand RemoveSecret(Host host)
    {
        var name = new Argument<string>("name");
        var command = new AgnesCommand("remove", "Forgets a stored secret.") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            (await host.Api.DeleteAsync($"/api/admin/secrets/{AdminApi.Escape(parsed.GetRequiredValue(name))}", cancellation)).OrFail();
            host.Out.WriteLine($"{parsed.GetRequiredValue(name)} removed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static Option<bool> Danger() => new("--confirm-danger") { Description = "Needed for auth, server and security, where a mistake can lock everybody out." };

    private static Option<bool> Dry() => new("--dry-run") { Description = "Show what would change, and change nothing." };

    private static string Raw(JsonElement row, string field) => row.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetRawText() : "-";

    private static JsonNode? Value(string text)
    {
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            return text;
        }
    }

    private static void Put(JsonObject root, string[] keys, JsonNode? value)
    {
        var at = root;
        foreach (var key in keys[..^1])
        {
            if (at[key] is not JsonObject inner) at[key] = inner = [];
            at = inner;
        }

        at[keys[^1]] = value;
    }
}
