using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands.Snapshots;

/// <summary><c>agnes snapshot</c>: filtered copies of tables under names of their own, which stay as they are through every pull.</summary>
internal static class SnapshotCommand
{
    private const int WhereCharactersMax = 40;

    public static Command Build(Host host)
    {
        var command = new AgnesCommand(
            "snapshot",
            "Keeps the rows you choose of a table as a local table of its own: of a remote table to query it here, of a pulled one to freeze it. Snapshots stay through every pull.",
            "agnes snapshot create web_events --select country,day --where \"day >= DATE '2026-01-01'\" --estimate",
            "agnes snapshot create web_events --select country,day --where \"day >= DATE '2026-01-01'\" --as events_2026",
            "agnes query \"SELECT country, count(*) FROM events_2026 GROUP BY 1\"");
        command.Add(SnapshotCreate.Build(host));
        command.Add(BuildList(host));
        command.Add(SnapshotRefresh.Build(host));
        command.Add(BuildDrop(host));
        command.Add(SnapshotPrune.Build(host));
        return command;
    }

    private static Command BuildList(Host host)
    {
        var json = Shared.Json();
        var command = new AgnesCommand("list", "Lists the snapshots of this workspace. Look here before you take another one.", "agnes snapshot list --json") { json };
        command.SetAction(parsed =>
        {
            var records = SnapshotFiles.List(Layout.Current());
            if (parsed.GetValue(json)) JsonText.Write(host, JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes([.. records], SnapshotJson.Default.SnapshotRecordArray))!);
            else if (records.Count == 0) host.Out.WriteLine("(no snapshots)");
            else Columns.Write(host.Out, ["NAME", "ROWS", "SIZE", "AGE", "TABLE", "WHERE"], [.. records.Select(record => Row(record, host.Clock.GetUtcNow()))]);
            return ExitCode.Ok;
        });
        return command;
    }

    private static Command BuildDrop(Host host)
    {
        var name = new Argument<string>("name") { Description = "A snapshot." };
        var command = new AgnesCommand("drop", "Deletes a snapshot: its file, its record and its view.", "agnes snapshot drop events_2026") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            var layout = Layout.Current();
            var asked = parsed.GetRequiredValue(name);
            await new Snapshotter(host, layout).DropAsync([Known(layout, asked).Name], cancellation);
            host.Out.WriteLine($"Dropped {asked}.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <exception cref="CliException">There is none of that name.</exception>
    public static SnapshotRecord Known(Layout layout, string name)
    {
        if (SnapshotFiles.Read(layout, name) is { } record) return record;
        var names = SnapshotFiles.List(layout).Select(known => known.Name).ToList();
        throw new CliException($"There is no snapshot '{name}'.", ExitCode.Usage) { Hint = names.Count == 0 ? "There are none in this workspace." : $"There are: {string.Join(", ", names)}" };
    }

    public static TimeSpan Age(SnapshotRecord record, DateTimeOffset now) =>
        DateTimeOffset.TryParse(record.FetchedAt, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal, out var at) ? now - at : TimeSpan.Zero;

    private static IReadOnlyList<string> Row(SnapshotRecord record, DateTimeOffset now)
    {
        var age = Age(record, now);
        return [record.Name, $"{record.Rows}", Columns.Bytes(record.BytesLocal), age.TotalDays >= 1 ? $"{(int)age.TotalDays}d" : $"{(int)age.TotalHours}h", record.TableId, DisplayText.Cut(record.Where ?? "", WhereCharactersMax)];
    }
}
