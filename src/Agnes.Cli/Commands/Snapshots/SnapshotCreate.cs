using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

namespace Agnes.Cli.Commands.Snapshots;

/// <summary><c>agnes snapshot create</c></summary>
internal static class SnapshotCreate
{
    private static readonly TimeSpan EstimateIdle = TimeSpan.FromSeconds(120);

    public static Command Build(Host host)
    {
        var table = new Argument<string>("table") { Description = "A table of 'agnes catalog'." };
        var select = new Option<string?>("--select") { Description = "Columns, separated by commas; all where not given.", HelpName = "a,b" };
        var where = new Option<string?>("--where") { Description = "A predicate in the dialect of the table's source ('agnes schema' shows it); for pulled tables DuckDB's.", HelpName = "SQL" };
        var limit = new Option<long?>("--limit") { Description = "The most rows.", HelpName = "N" };
        limit.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && long.TryParse(result.Tokens[0].Value, out var value) && value < 1) result.AddError("--limit must be at least 1.");
        });
        var order = new Option<string?>("--order-by") { Description = "Columns, each perhaps with DESC.", HelpName = "a DESC,b" };
        var name = new Option<string?>("--as") { Description = "The snapshot's name; the table's where not given.", HelpName = "NAME" };
        var estimate = new Option<bool>("--estimate") { Description = "Only say what it would cost." };
        var noEstimate = new Option<bool>("--no-estimate") { Description = "Do not ask for the cost first." };
        var force = new Option<bool>("--force") { Description = "Replace a snapshot of that name; disregard the quota." };
        var command = new AgnesCommand(
            "create",
            "Takes a snapshot. Name the columns and give a predicate; on large or partitioned tables look at --estimate first.",
            "agnes snapshot create orders --where \"status = 'paid'\" --as paid_orders",
            "agnes snapshot create web_events --select country,day --where \"day >= DATE '2026-01-01'\" --as events_2026") { table, select, where, limit, order, name, estimate, noEstimate, force };
        command.SetAction((parsed, cancellation) =>
        {
            var request = new SnapshotRequest(parsed.GetRequiredValue(table), Split(parsed.GetValue(select)), Blank(parsed.GetValue(where)), parsed.GetValue(limit), Split(parsed.GetValue(order)));
            var asked = parsed.GetValue(name) ?? request.TableId;
            if (!Identifiers.IsStrict(asked)) throw new CliException($"'{asked}' cannot be a snapshot's name: a letter or '_', then at most 63 letters, digits or '_'.", ExitCode.Usage) { Hint = "Name it: --as <name>" };
            return RunAsync(host, asked, request, parsed.GetValue(estimate), parsed.GetValue(noEstimate), parsed.GetValue(force), cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Host host, string name, SnapshotRequest request, bool onlyEstimate, bool noEstimate, bool force, CancellationToken cancellation)
    {
        var layout = Layout.Current();
        var snapshots = new Snapshotter(host, layout);
        if (!onlyEstimate && !File.Exists(layout.Database)) throw new CliException($"There is no local data in {layout.Root} yet.") { Hint = "Run: agnes pull" };
        if (!onlyEstimate && !force) snapshots.RefuseExisting(name);
        var local = snapshots.LocalName(request.TableId);
        var scanBytes = 0L;
        if (onlyEstimate || !noEstimate) scanBytes = local is null ? await EstimateAsync(host, snapshots, request, onlyEstimate || force, cancellation) : EstimateLocally(host, layout, request, local, onlyEstimate);
        if (onlyEstimate) return ExitCode.Ok;
        snapshots.RefuseTableNames(name);
        var taken = await snapshots.TakeAsync(name, request, scanBytes, force ? SnapshotPurpose.Replace : SnapshotPurpose.New, cancellation);
        host.Out.WriteLine($"{taken.Rows} {(taken.Rows == 1 ? "row" : "rows")} in {name} ({Columns.Bytes(taken.BytesLocal)}). Query it: agnes query \"FROM {name} LIMIT 5\"");
        return ExitCode.Ok;
    }

    private static int EstimateLocally(Host host, Layout layout, SnapshotRequest request, string table, bool isShown)
    {
        if (!isShown) return 0;
        using var session = LocalSession.Open(layout, [], host.Clock);
        using var rows = session.Run($"SELECT count(*) FROM ({request.ToSql(table)})");
        host.Out.WriteLine($"'{table}' is in this workspace: no scan, no cost; {(rows.Read() ? rows.Text(0) : "0")} rows.");
        return 0;
    }

    private static async Task<long> EstimateAsync(Host host, Snapshotter snapshots, SnapshotRequest request, bool isQuotaIgnored, CancellationToken cancellation)
    {
        Api.ApiResponse answer;
        try
        {
            answer = await host.Api.SendAsync(HttpMethod.Post, "/api/v2/scan/estimate", request.ToJson(), EstimateIdle, null, cancellation);
        }
        catch (CliException unreachable) when (unreachable.ExitCode == ExitCode.Failed)
        {
            throw new CliException(unreachable.Message, ExitCode.Unreachable) { Hint = $"{unreachable.Hint}\nIs this folder set up? agnes status, agnes init" };
        }

        if (!answer.IsSuccess) throw SnapshotErrors.Of(answer, request.TableId);
        using var json = answer.Json();
        var bytes = Number(json.RootElement, "estimated_result_bytes");
        var scan = Number(json.RootElement, "estimated_scan_bytes");
        var cost = Cost(json.RootElement) is { } dollars ? string.Create(CultureInfo.InvariantCulture, $"{dollars:0.####} USD") : "cost unknown";
        host.Out.WriteLine($"Estimate: scan {Size(scan)}, result {Rows(Number(json.RootElement, "estimated_result_rows"))}, {Size(bytes)}, {cost}");
        if (!isQuotaIgnored) snapshots.RefuseOverQuota(bytes ?? 0);
        return scan ?? 0;
    }

    /// <summary>Null: the server does not know it, which is not nothing.</summary>
    private static long? Number(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    private static double? Cost(JsonElement body) => body.TryGetProperty("bq_cost_estimate_usd", out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static string Size(long? bytes) => bytes is { } known ? Columns.Bytes(known) : "size unknown";

    private static string Rows(long? rows) => rows is { } known ? string.Create(CultureInfo.InvariantCulture, $"{known} rows") : "rows unknown";

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;

    private static string[]? Split(string? text)
    {
        var parts = text?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts is { Length: > 0 } ? parts : null;
    }
}
