using System.CommandLine;
using System.Globalization;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands.Snapshots;

/// <summary><c>agnes snapshot prune</c></summary>
internal static class SnapshotPrune
{
    public static Command Build(Host host)
    {
        var older = new Option<string?>("--older-than") { Description = "At least this old.", HelpName = "7d|24h|30m" };
        var larger = new Option<string?>("--larger-than") { Description = "At least this large.", HelpName = "500m|1g" };
        var all = new Option<bool>("--all") { Description = "Every snapshot." };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say which." };
        older.Validators.Add(result => Check(result, "--older-than", "7d, 24h or 30m", text => Age(text) is not null));
        larger.Validators.Add(result => Check(result, "--larger-than", "500m or 1g", text => Size(text) is not null));
        var command = new AgnesCommand("prune", "Deletes the snapshots that are old, large, or (with both options) both.", "agnes snapshot prune --older-than 7d --dry-run") { older, larger, all, dryRun };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (age, size) = (Age(parsed.GetValue(older)), Size(parsed.GetValue(larger)));
            if (age is null && size is null && !parsed.GetValue(all)) throw new CliException("Say which: --older-than, --larger-than, or --all.", ExitCode.Usage);
            var layout = Layout.Current();
            var now = host.Clock.GetUtcNow();
            var matches = SnapshotFiles.List(layout).Where(record => (age is null || SnapshotCommand.Age(record, now) >= age) && (size is null || record.BytesLocal >= size)).ToList();
            foreach (var record in matches) host.Out.WriteLine($"{(parsed.GetValue(dryRun) ? "would drop" : "dropped")} {record.Name} ({record.Rows} rows, {Columns.Bytes(record.BytesLocal)})");
            if (matches.Count == 0) host.Out.WriteLine("(no matches)");
            else if (!parsed.GetValue(dryRun)) await new Snapshotter(host, layout).DropAsync([.. matches.Select(record => record.Name)], cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    private static void Check(System.CommandLine.Parsing.OptionResult result, string name, string form, Func<string, bool> isGood)
    {
        if (result.Tokens.Count > 0 && !isGood(result.Tokens[0].Value)) result.AddError($"{name} is a number with a unit, such as {form}.");
    }

    private static TimeSpan? Age(string? text) => Number(text) is not { } number ? null : char.ToLowerInvariant(text![^1]) switch
    {
        'd' => TimeSpan.FromDays(number),
        'h' => TimeSpan.FromHours(number),
        'm' => TimeSpan.FromMinutes(number),
        _ => null,
    };

    private static double? Size(string? text) => Number(text) is not { } number ? null : char.ToLowerInvariant(text![^1]) switch
    {
        'k' => number * (1L << 10),
        'm' => number * (1L << 20),
        'g' => number * (1L << 30),
        't' => number * (1L << 40),
        _ => null,
    };

    private static int? Number(string? text) => text is { Length: > 1 } && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < 1_000_000 ? number : null;
}
