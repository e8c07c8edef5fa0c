using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary>What the admin commands have in common: turning e-mails and names into ids, and printing lists.</summary>
internal static class AdminApi
{
    /// <summary>An id as it is; an e-mail by asking.</summary>
    public static async Task<string> UserIdAsync(Host host, string idOrEmail, CancellationToken cancellation)
    {
        if (!idOrEmail.Contains('@')) return idOrEmail;
        using var users = (await host.Api.GetAsync($"/api/users?q={Uri.EscapeDataString(idOrEmail)}", cancellation)).OrFail().Json();
        return Find(users.RootElement, user => Is(user, "email", idOrEmail)) ?? throw new CliException($"There is no user {idOrEmail}.") { Hint = "See: agnes admin list-users" };
    }

    public static async Task<string> GroupIdAsync(Host host, string idOrName, CancellationToken cancellation)
    {
        using var groups = (await host.Api.GetAsync("/api/admin/groups", cancellation)).OrFail().Json();
        return Find(groups.RootElement, group => Columns.Field(group, "id") == idOrName) ?? Find(groups.RootElement, group => Is(group, "name", idOrName))
            ?? throw new CliException($"There is no group '{idOrName}'.") { Hint = "See: agnes admin group list" };
    }

    public static string Escape(string id) => Uri.EscapeDataString(id);

    /// <summary>The list as JSON, or as columns.</summary>
    public static void Print(Host host, JsonElement list, bool json, params (string Header, Func<JsonElement, string> Cell)[] columns)
    {
        if (json)
        {
            JsonText.Write(host, list);
            return;
        }

        if (list.GetArrayLength() == 0)
        {
            host.Out.WriteLine("(none)");
            return;
        }

        Columns.Write(
            host.Out,
            [.. columns.Select(column => column.Header)],
            [.. list.EnumerateArray().Select(item => (IReadOnlyList<string>)[.. columns.Select(column => column.Cell(item))])]);
    }

    public static (string Header, Func<JsonElement, string> Cell) Column(string header, string field) => (header, item => Columns.Field(item, field));

    /// <summary>The list itself, or the named list inside an object.</summary>
    public static JsonElement List(JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var inner) ? inner : answer;

    /// <summary>Done in one line, or the server's answer as JSON.</summary>
    public static void Done(Host host, ApiResponse answer, bool json, string text)
    {
        if (!json)
        {
            host.Out.WriteLine(text);
            return;
        }

        if (answer.Body.Length == 0)
        {
            JsonText.Write(host, new JsonObject { ["ok"] = true });
            return;
        }

        using var body = answer.Json();
        JsonText.Write(host, body.RootElement);
    }

    private static string? Find(JsonElement list, Func<JsonElement, bool> isIt)
    {
        var found = list.EnumerateArray().FirstOrDefault(isIt);
        return found.ValueKind == JsonValueKind.Object ? found.GetProperty("id").GetString() : null;
    }

    private static bool Is(JsonElement item, string field, string value) => string.Equals(Columns.Field(item, field), value, StringComparison.OrdinalIgnoreCase);
}
