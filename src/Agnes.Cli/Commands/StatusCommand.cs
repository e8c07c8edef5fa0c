using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;
using Agnes.Cli.Sessions;
using Agnes.Cli.Settings;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes status</c>: what this workspace is and has. No network.</summary>
internal static class StatusCommand
{
    public static Command Build(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("status", "Shows what this workspace holds, when it was last pulled, and whether your token is still good. No network.", "agnes status --json") { json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var facts = await FactsAsync(host, Layout.Current(), cancellation);
            if (parsed.GetValue(json)) JsonText.Write(host, (JsonNode)facts);
            else Print(host, facts);
            return ExitCode.Ok;
        });
        return command;
    }

    private static async Task<JsonObject> FactsAsync(Host host, Layout layout, CancellationToken cancellation)
    {
        var (state, warning) = await PullState.LoadAsync(layout, cancellation);
        var tables = state.Servers.Values.SelectMany(server => server.Tables.Values).ToList();
        var (token, source) = Token(host, out var tokenProblem);
        var expires = token is null ? null : Jwt.Decode(token)?.Expires;
        var warnings = new[] { warning, tokenProblem, StoredToken.Warning(host.Settings.Folder) }.Where(text => text is not null);
        var queue = new SessionQueue(layout, host.Clock);
        var isPrivate = queue.PrivateIds();
        var held = state.Servers.Values.Select(server => server.HeldSince).FirstOrDefault(since => since is not null);
        var partial = Directory.Exists(layout.Incoming) && Directory.EnumerateFiles(layout.Incoming).Any();
        return new JsonObject
        {
            ["workspace"] = layout.Root,
            ["initialized"] = File.Exists(layout.Sentinel),
            ["parquet_tables"] = tables.Count > 0 ? tables.Count : Directory.Exists(layout.Parquet) ? Directory.EnumerateFiles(layout.Parquet, "*.parquet").Count() : 0,
            ["duckdb_exists"] = File.Exists(layout.Database),
            ["last_synced"] = File.Exists(layout.State) && state.Servers.Values.Any(server => server.LastSync is not null) ? Stamp(File.GetLastWriteTimeUtc(layout.State)) : null,
            ["sessions_pending_upload"] = queue.Peek().Count(entry => !isPrivate.Contains(entry.Id)),
            ["tables_local"] = tables.Count(table => table.QueryMode == "local"),
            ["tables_materialized"] = tables.Count(table => table.QueryMode == "materialized"),
            ["rows"] = tables.Sum(table => table.Rows),
            ["bytes"] = tables.SelectMany(table => table.Parts).DistinctBy(part => part.Sha256).Sum(part => part.SizeBytes),
            ["tables_remote"] = state.Servers.Values.Sum(server => server.Elsewhere?.Count(table => table.IsRemote) ?? 0),
            ["newest_data"] = tables.Select(table => table.Updated).Max(StringComparer.Ordinal),
            ["oldest_data"] = tables.Select(table => table.Updated).Min(StringComparer.Ordinal),
            ["snapshots"] = SnapshotFiles.List(layout).Count,
            ["rolled_back_at"] = held,
            ["can_roll_back"] = state.Servers.Values.Any(server => server.Earlier is { Tables.Count: > 0 }),
            ["hooks_installed"] = File.Exists(layout.Settings) && AgentSettings.Read(layout.Settings, out _) is { } settings && AgentHooks.AreInstalled(settings),
            ["pull_incomplete"] = partial || state.Servers.Values.Any(server => server.IsCommitting),
            ["server"] = Server(host),
            ["token_source"] = source,
            ["token_expires_at"] = expires is { } until ? Stamp(until.UtcDateTime) : null,
            ["token_expired"] = expires is { } end && end < host.Clock.GetUtcNow(),
            ["warnings"] = new JsonArray([.. warnings.Select(text => (JsonNode)text!)]),
        };
    }

    private static (string? Token, string Source) Token(Host host, out string? problem)
    {
        problem = null;
        try
        {
            return host.Settings.TokenAndSource();
        }
        catch (CliException unreadable)
        {
            problem = unreadable.Message;
            return (null, "none");
        }
    }

    private static string Server(Host host)
    {
        try
        {
            return host.Settings.Server().Url;
        }
        catch (CliException unreadable)
        {
            return unreadable.Message;
        }
    }

    private static void Print(Host host, JsonObject facts)
    {
        host.Out.WriteLine($"Workspace: {facts["workspace"]}{(Is(facts, "initialized") ? "" : " (not initialised)")}");
        host.Out.WriteLine($"Server: {facts["server"]}");
        host.Out.WriteLine($"Token: {facts["token_source"]}{(facts["token_expires_at"] is { } until ? $", {(Is(facts, "token_expired") ? "expired" : "valid until")} {until}" : "")}");
        host.Out.WriteLine($"Tables: {facts["parquet_tables"]} ({facts["rows"]} rows, {Columns.Bytes(facts["bytes"]!.GetValue<long>())})");
        host.Out.WriteLine($"Last pull: {Since(host, facts["last_synced"])}{(Is(facts, "pull_incomplete") ? " (one was interrupted; run: agnes pull)" : "")}");
        if (facts["newest_data"] is { } newest) host.Out.WriteLine($"Data: brought to the server between {facts["oldest_data"]} and {newest} UTC");
        if (facts["rolled_back_at"] is { } back) host.Out.WriteLine($"Rolled back at {back}: sessions' pulls bring nothing newer. Forward again: agnes pull");
        host.Out.WriteLine($"Snapshots: {facts["snapshots"]}; sessions waiting for upload: {facts["sessions_pending_upload"]}; hooks: {(Is(facts, "hooks_installed") ? "installed" : "not installed")}");
        host.Out.WriteLine($"Local database: {(Is(facts, "duckdb_exists") ? "ready" : "none yet; run: agnes pull")}");
        if (!Is(facts, "initialized")) host.Out.WriteLine("To set this folder up: agnes init --server-url URL --token -");
        foreach (var warning in facts["warnings"]!.AsArray()) host.Error.WriteLine($"warn: {DisplayText.Message(warning!.ToString())}");
    }

    private static string Since(Host host, JsonNode? stamp) =>
        stamp is null ? "never" : $"{stamp} ({HookCommands.Age(host.Clock.GetUtcNow() - DateTimeOffset.Parse(stamp.GetValue<string>(), System.Globalization.CultureInfo.InvariantCulture))} ago)";

    private static bool Is(JsonObject facts, string name) => facts[name]?.GetValueKind() == JsonValueKind.True;

    private static string Stamp(DateTime utc) => utc.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
}
