using System.Text.Json;
using Agnes.Cli.Output;

namespace Agnes.Cli.Commands.Admin;

/// <summary><c>agnes admin sync trigger --dry-run</c></summary>
internal static class SyncPlanOutput
{
    /// <returns>Whether nothing is in the way of what would be brought, as an exit code.</returns>
    public static async Task<int> RunAsync(Host host, string[] named, bool json, CancellationToken cancellation)
    {
        using var answer = (await host.Api.PostAsync("/api/sync/plan", SyncCommands.Body(named), cancellation)).OrFail().Json();
        var unknown = answer.RootElement.GetProperty("unknown");
        if (unknown.GetArrayLength() > 0) host.Error.WriteLine($"warn: not registered: {string.Join(", ", unknown.EnumerateArray())}");
        var tables = answer.RootElement.GetProperty("tables");
        AdminApi.Print(
            host, tables, json,
            AdminApi.Column("TABLE", "id"), AdminApi.Column("CONNECTION", "connection"), AdminApi.Column("HOW", "how"), AdminApi.Column("SINCE", "since"),
            AdminApi.Column("ROWS", "rows"), AdminApi.Column("BYTES", "bytes"), ("WHY", Said));
        var blocked = tables.EnumerateArray().Where(table => table.GetProperty("blocked_by").GetArrayLength() > 0).ToList();
        foreach (var table in blocked)
        {
            foreach (var why in table.GetProperty("blocked_by").EnumerateArray())
                host.Error.WriteLine($"blocked: {Columns.Field(table, "id")}: {DisplayText.Message(why.GetString() ?? "")}");
        }

        return blocked.Count == 0 && unknown.GetArrayLength() == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    private static string Said(JsonElement table)
    {
        var (why, note) = (Columns.Field(table, "why"), Columns.Field(table, "note"));
        return note == "-" ? why : $"{why}; {note}";
    }
}
