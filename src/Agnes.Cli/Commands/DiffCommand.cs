using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes diff</c>: what changed in the rows of a table between two of its versions.</summary>
internal static class DiffCommand
{
    private const long FetchMegabytesDefault = 500;
    private const int SampleDefault = 10;

    public static Command Build(Host host)
    {
        var table = new Argument<string>("table") { Description = "Id of the table, as 'agnes catalog' lists it." };
        var from = new Option<long?>("--from") { Description = "A version, by its number or as -1 for the one before the newest; by default -1.", HelpName = "version" };
        var to = new Option<long?>("--to") { Description = "The other version; by default the newest.", HelpName = "version" };
        var key = new Option<string?>("--key") { Description = "Columns that tell rows apart, separated by commas; by default the table's primary key.", HelpName = "columns" };
        var limit = new Option<int>("--limit") { Description = "Rows that are shown of each kind.", DefaultValueFactory = _ => SampleDefault };
        var megabytes = new Option<long>("--max-mb") { Description = "What may be fetched for it, in megabytes.", DefaultValueFactory = _ => FetchMegabytesDefault };
        var json = Shared.Json();
        var command = new AgnesCommand(
            "diff",
            "Says which rows of a table were added, removed and changed between two versions. Only parts that differ are fetched.",
            "agnes diff orders",
            "agnes diff orders --from -2 --key id --limit 20") { table, from, to, key, limit, megabytes, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            var history = (await TableHistoryOutput.FetchAsync(host, parsed.GetRequiredValue(table), withParts: true, cancellation)).As(ProtocolJson.Default.TableHistory);
            if (history.Versions.Count < 2)
                throw new CliException($"'{history.TableId}' has no earlier version to compare with.") { Hint = $"Look again after its next sync: agnes catalog --history {history.TableId}" };
            var (before, after) = (Find(history, parsed.GetValue(from) ?? -1, "--from"), Find(history, parsed.GetValue(to) ?? 0, "--to"));
            var keys = parsed.GetValue(key)?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? history.PrimaryKey;
            var diff = new VersionDiff(host, Layout.Current());
            var bytes = diff.Missing(before, after);
            if (bytes > parsed.GetValue(megabytes) * 1_000_000)
                throw new CliException($"{Columns.Bytes(bytes)} would have to be fetched for it.", ExitCode.Usage) { Hint = $"Allow it: --max-mb {(bytes / 1_000_000) + 1}" };
            var found = await diff.RunAsync(history.TableId, before, after, keys, Math.Max(0, parsed.GetValue(limit)), cancellation);
            if (parsed.GetValue(json)) WriteJson(host, history.TableId, before, after, found);
            else Print(host, before, after, found);
            return ExitCode.Ok;
        });
        return command;
    }

    private static TableVersion Find(TableHistory history, long wanted, string option)
    {
        if (wanted <= 0 && -wanted < history.Versions.Count) return history.Versions[(int)-wanted];
        return history.Versions.FirstOrDefault(version => version.Number == wanted)
            ?? throw new CliException($"{option}: the server keeps no such version of '{history.TableId}'.", ExitCode.Usage) { Hint = $"There are: agnes catalog --history {history.TableId}" };
    }

    private static void Print(Host host, TableVersion before, TableVersion after, VersionDifference found)
    {
        host.Out.WriteLine($"{before.PublishedAt} ({Text(before.Rows)} rows) -> {after.PublishedAt} ({Text(after.Rows)} rows)");
        if (before.Number < after.Number && after.ColumnChanges.Count > 0) host.Out.WriteLine(DisplayText.OneLine($"Columns: {string.Join("; ", after.ColumnChanges)}"));
        host.Out.WriteLine($"{Text(found.Added)} added, {Text(found.Removed)} removed{(found.Changed is { } changed ? $", {Text(changed)} changed" : " (no key: a changed row is one of each)")}");
        if (found.Sample.Count == 0) return;
        host.Out.WriteLine();
        Columns.Write(host.Out, ["", .. found.Columns], [.. found.Sample.Select(row => (IReadOnlyList<string>)[row.What, .. row.Cells.Select(cell => cell ?? "NULL")])]);
    }

    private static void WriteJson(Host host, string table, TableVersion before, TableVersion after, VersionDifference found)
    {
        var sample = found.Sample.Select(row => (JsonNode)new JsonObject
        {
            ["what"] = row.What,
            ["row"] = new JsonObject(found.Columns.Zip(row.Cells).Select(cell => KeyValuePair.Create(cell.First, (JsonNode?)cell.Second))),
        });
        var answer = new JsonObject
        {
            ["table_id"] = table,
            ["from"] = before.Number,
            ["to"] = after.Number,
            ["rows_added"] = found.Added,
            ["rows_removed"] = found.Removed,
            ["rows_changed"] = found.Changed,
            ["sample"] = new JsonArray([.. sample]),
        };
        using var document = JsonDocument.Parse(answer.ToJsonString());
        JsonText.Write(host, document.RootElement);
    }

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
