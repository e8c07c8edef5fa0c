using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Commands.Admin;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes explain</c>: where a statement would run, what it would cost, which limit it would meet.</summary>
internal static class ExplainCommand
{
    private const string Server = "server";

    public static Command Build(Host host)
    {
        var sql = new Argument<string>("sql") { Description = "The statement; it is not run." };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "explain",
            "Says where a statement would run, what it would cost there, and which limit it would meet. Runs nothing.",
            "agnes explain \"SELECT country, count(*) FROM web_events GROUP BY 1\"") { sql, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var body = new JsonObject { ["sql"] = parsed.GetRequiredValue(sql) };
            using var answer = (await host.Api.PostAsync("/api/query/explain", body, cancellation)).OrFail().Json();
            var steps = AdminApi.List(answer.RootElement, "steps");
            if (parsed.GetValue(json)) JsonText.Write(host, answer.RootElement);
            else await PrintAsync(host, answer.RootElement, steps, cancellation);
            return steps.EnumerateArray().All(step => step.GetProperty("fits").GetBoolean()) ? ExitCode.Ok : ExitCode.Failed;
        });
        return command;
    }

    private static async Task PrintAsync(Host host, JsonElement answer, JsonElement steps, CancellationToken cancellation)
    {
        Columns.Write(host.Out, ["RUNS AT", "TABLES", "BYTES", "ROWS", "LIMIT"], [.. steps.EnumerateArray().Select(Row)]);
        foreach (var step in steps.EnumerateArray())
            if (Part(step) is { } part) host.Out.WriteLine(DisplayText.Lines(part));
        var refused = steps.EnumerateArray().Where(step => !step.GetProperty("fits").GetBoolean()).ToList();
        foreach (var step in refused)
            host.Error.WriteLine(DisplayText.Lines($"It would be refused: {Columns.Field(step, "problem")}"));
        if (refused.Count > 0) return;
        host.Out.WriteLine();
        host.Out.WriteLine(Way(answer.GetProperty("path").GetString()!, await MissingAsync(steps, cancellation)));
        var limits = answer.GetProperty("limits");
        var (seconds, bytes) = (limits.GetProperty("seconds").GetDouble(), limits.GetProperty("result_bytes").GetInt64());
        host.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"On the server it may take {seconds:0.#} s, and its result {Columns.Bytes(bytes)}."));
        if (answer.TryGetProperty("left_today", out var left) && left.ValueKind == JsonValueKind.Object) host.Out.WriteLine(Left(left));
    }

    /// <summary>What the day's account still allows at sources; of what has no limit nothing is said.</summary>
    private static string Left(JsonElement left)
    {
        var parts = new List<string> { Columns.Bytes(left.GetProperty("bytes").GetInt64()) };
        if (left.GetProperty("statements") is { ValueKind: JsonValueKind.Number } statements) parts.Add($"{statements.GetInt64()} statements");
        if (left.GetProperty("cost_usd") is { ValueKind: JsonValueKind.Number } cost)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{cost.GetDouble():0.00} US dollars"));
        return $"Left for you at sources today (UTC): {string.Join(", ", parts)}.";
    }

    private static IReadOnlyList<string> Row(JsonElement step) =>
    [
        Columns.Field(step, "runs_at"), Columns.Field(step, "tables") is { Length: > 0 } tables ? tables : "-",
        Size(step, "bytes", "unknown"), Columns.Field(step, "rows"), Size(step, "bytes_max", "-"),
    ];

    /// <summary>How a field shows that is not there.</summary>
    private const string Unset = "-";

    /// <summary>Of a table at a source: what of it is fetched; null: all, or nothing is.</summary>
    private static string? Part(JsonElement step)
    {
        var (columns, where) = (Columns.Field(step, "columns"), Columns.Field(step, "where"));
        if (columns == Unset && where == Unset) return null;
        var rows = where == Unset ? "" : $" WHERE {where}";
        return $"Of {Columns.Field(step, "tables")} is fetched: {(columns == Unset ? "all columns" : columns)}{rows}";
    }

    private static string Size(JsonElement step, string field, string none) =>
        step.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? Columns.Bytes(value.GetInt64()) : none;

    /// <param name="missing">Tables that this workspace does not hold.</param>
    private static string Way(string path, List<string> missing) => path switch
    {
        "push_down" => "All of it runs at the source: agnes query --remote \"…\"",
        "mixed" => "What it needs of tables at a source is fetched, up to the limit, and joined on the server: agnes query --remote \"…\". "
            + "For less, take a part of them first: agnes snapshot create <table> --where …",
        _ when missing.Count == 0 => "All of it is on this machine: agnes query \"…\"",
        _ => $"It runs on the server: agnes query --remote \"…\". Not on this machine: {string.Join(", ", missing)} (agnes pull).",
    };

    private static async Task<List<string>> MissingAsync(JsonElement steps, CancellationToken cancellation)
    {
        var (state, _) = await PullState.LoadAsync(Layout.Current(), cancellation);
        var here = state.Servers.Values.SelectMany(server => server.Tables.Keys).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return
        [
            .. steps.EnumerateArray().Where(step => Columns.Field(step, "runs_at") == Server)
                .SelectMany(step => step.GetProperty("tables").EnumerateArray()).Select(table => table.GetString()!).Where(table => !here.Contains(table)),
        ];
    }
}
