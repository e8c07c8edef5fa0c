using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin connection</c>: several instances of one kind of source.</summary>
internal static class ConnectionCommands
{
    public static Command Build(Host host) => new AgnesCommand(
        "connection", "Connections to sources: one kind of source can be connected several times.",
        "agnes admin connection add eu --kind csv --set folder=eu", "agnes admin register-table sales_eu --source-type csv --connection eu --source-table sales.csv")
    {
        List(host), Add(host), Update(host), Remove(host), Kinds(host), Discover(host), Check(host),
    };

    private static AgnesCommand List(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists the connections besides the default one of each kind.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/api/admin/connections", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, answer.RootElement.GetProperty("connections"), parsed.GetValue(json), AdminApi.Column("NAME", "name"), AdminApi.Column("KIND", "kind"), AdminApi.Column("TABLES", "tables"),
                ("SETTINGS", row => string.Join(' ', row.GetProperty("settings").EnumerateObject().Select(setting => $"{setting.Name}={setting.Value}"))),
                ("SECRETS MISSING", row => string.Join(' ', row.GetProperty("secrets").EnumerateArray().Where(secret => !secret.GetProperty("is_stored").GetBoolean()).Select(secret => Columns.Field(secret, "stored_as")))));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Kinds(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("kinds", "Lists the kinds of sources, and what is set for a connection to each.") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var answer = (await host.Api.GetAsync("/api/admin/connections", cancellation)).OrFail().Json();
            AdminApi.Print(
                host, answer.RootElement.GetProperty("kinds"), parsed.GetValue(json), AdminApi.Column("KIND", "name"), AdminApi.Column("WHAT", "title"),
                ("QUERY MODES", kind => string.Join(' ', kind.GetProperty("query_modes").EnumerateArray().Select(mode => mode.GetString()))),
                ("SETTINGS", kind => string.Join(' ', kind.GetProperty("connection_settings").EnumerateArray().Select(setting => Columns.Field(setting, "name")))));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The server asks the source; nothing of its secrets comes here.</summary>
    private static AgnesCommand Discover(Host host)
    {
        var name = new Argument<string>("name") { Description = "A connection, or a kind of source for its default one." };
        var bucket = new Option<string?>("--bucket") { Description = "Of this bucket, schema or data set alone." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "discover", "Lists what a connection's source has that could be registered.",
            "agnes admin connection discover keboola", "agnes admin connection discover keboola --bucket in.c-crm") { name, bucket, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = $"/api/admin/discover-tables?connection={Uri.EscapeDataString(parsed.GetRequiredValue(name))}";
            if (parsed.GetValue(bucket) is { Length: > 0 } one) path += $"&dataset={Uri.EscapeDataString(one)}";
            using var answer = (await host.Api.GetAsync(path, cancellation)).OrFail().Json();
            if (answer.RootElement.TryGetProperty("error", out var why))
                throw new CliException(why.GetString() ?? "Nothing can be listed.");
            var found = AdminApi.List(answer.RootElement, "datasets");
            if (found.ValueKind == JsonValueKind.Array)
                AdminApi.Print(host, found, parsed.GetValue(json), AdminApi.Column("DATASET", "dataset_id"));
            else PrintTables(host, answer.RootElement.GetProperty("tables"), parsed.GetValue(json));
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Check(Host host)
    {
        var name = new Argument<string>("name") { Description = "A connection, or a kind of source for its default one." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "check", "Has the server ask a connection's source: is it reached, does it take the credentials, may it be read? Exit 1 where not.",
            "agnes admin connection check keboola") { name, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var path = $"/api/admin/connections/{AdminApi.Escape(parsed.GetRequiredValue(name))}/check";
            using var answer = (await host.Api.PostAsync(path, null, cancellation)).OrFail().Json();
            var isOk = answer.RootElement.GetProperty("ok").GetBoolean();
            if (parsed.GetValue(json)) JsonText.Write(host, answer.RootElement);
            else (isOk ? host.Out : host.Error).WriteLine(DisplayText.Message(Columns.Field(answer.RootElement, "message")));
            return isOk ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static void PrintTables(Host host, JsonElement tables, bool json) => AdminApi.Print(
        host, tables, json,
        ("ID", table => Columns.Field(table, table.TryGetProperty("id", out _) ? "id" : "full_id")),
        AdminApi.Column("ROWS", "row_count"), AdminApi.Column("BYTES", "size_bytes"),
        ("KEY", table => table.TryGetProperty("primary_key", out var key)
            ? string.Join(' ', key.EnumerateArray().Select(column => column.GetString()))
            : "-"));

    private static AgnesCommand Add(Host host)
    {
        var (name, settings, json) = (Name(), Settings(), Shared.Json());
        var kind = new Option<string>("--kind") { Description = "The kind of source; see: agnes admin connection kinds", Required = true };
        var command = new AgnesCommand("add", "Adds a connection. Its secrets are stored with: agnes admin secret set", "agnes admin connection add eu --kind csv --set folder=eu") { name, kind, settings, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject { ["name"] = parsed.GetRequiredValue(name), ["kind"] = parsed.GetRequiredValue(kind), ["settings"] = Read(parsed.GetValue(settings) ?? []) };
            var answer = (await host.Api.PostAsync("/api/admin/connections", body, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Connection '{parsed.GetRequiredValue(name)}' added.");
            if (!parsed.GetValue(json)) SayMissing(host, answer.Json().RootElement);
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Update(Host host)
    {
        var (name, settings, json) = (Name(), Settings(), Shared.Json());
        var command = new AgnesCommand("update", "Changes settings of a connection; name= without a value clears one.", "agnes admin connection update eu --set folder=europe") { name, settings, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject { ["settings"] = Read(parsed.GetValue(settings) ?? []) };
            var answer = (await host.Api.PutAsync($"/api/admin/connections/{AdminApi.Escape(parsed.GetRequiredValue(name))}", body, cancellation)).OrFail();
            AdminApi.Done(host, answer, parsed.GetValue(json), $"Connection '{parsed.GetRequiredValue(name)}' changed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static AgnesCommand Remove(Host host)
    {
        var name = Name();
        var command = new AgnesCommand("remove", "Removes a connection through which no table comes, with its secrets.", "agnes admin connection remove eu") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            (await host.Api.DeleteAsync($"/api/admin/connections/{AdminApi.Escape(parsed.GetRequiredValue(name))}", cancellation)).OrFail();
            host.Out.WriteLine($"Connection '{parsed.GetRequiredValue(name)}' removed.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static void SayMissing(Host host, JsonElement connection)
    {
        foreach (var secret in connection.GetProperty("secrets").EnumerateArray().Where(secret => !secret.GetProperty("is_stored").GetBoolean()))
            host.Out.WriteLine($"If it needs its {Columns.Field(secret, "setting")}: agnes admin secret set {Columns.Field(secret, "stored_as")}");
    }

    private static Argument<string> Name() => new("name") { Description = "Letters, digits and underscores; also its folder below extracts/." };

    private static Option<string[]> Settings() => new("--set") { Description = "A setting as name=value; once for each." };

    private static JsonObject Read(string[] given)
    {
        var settings = new JsonObject();
        foreach (var text in given)
        {
            var mark = text.IndexOf('=', StringComparison.Ordinal);
            if (mark <= 0) throw new CliException($"'{text}' is not name=value.", ExitCode.Usage);
            settings[text[..mark]] = mark == text.Length - 1 ? null : text[(mark + 1)..];
        }

        return settings;
    }
}
