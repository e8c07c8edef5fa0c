using System.CommandLine;
using System.Globalization;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands.Snapshots;

/// <summary><c>agnes snapshot refresh</c></summary>
internal static class SnapshotRefresh
{
    public static Command Build(Host host)
    {
        var name = new Argument<string>("name") { Description = "A snapshot." };
        var where = new Option<string?>("--where") { Description = "Another predicate from now on.", HelpName = "SQL" };
        var command = new AgnesCommand("refresh", "Takes a snapshot anew, as it was asked for, and says what changed.", "agnes snapshot refresh events_2026") { name, where };
        command.SetAction(async (parsed, cancellation) =>
        {
            var layout = Layout.Current();
            var before = SnapshotCommand.Known(layout, parsed.GetRequiredValue(name));
            var request = SnapshotRequest.Of(before);
            if (parsed.GetValue(where) is { } other) request = request with { Where = other };
            var after = await new Snapshotter(host, layout).TakeAsync(before.Name, request, before.EstimatedScanBytesAtFetch, SnapshotPurpose.Refresh, cancellation);
            var isSame = before.ResultSha256 is null ? before.ResultHashMd5 == after.ResultHashMd5 : before.ResultSha256 == after.ResultSha256;
            host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"rows: {before.Rows} -> {after.Rows} ({after.Rows - before.Rows:+0;-0;+0})"));
            host.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"bytes: {before.BytesLocal} -> {after.BytesLocal}"));
            host.Out.WriteLine($"as of: {before.EffectiveAsOf} -> {after.EffectiveAsOf}");
            host.Out.WriteLine($"identical: {(isSame ? "yes" : "no")}");
            return ExitCode.Ok;
        });
        return command;
    }
}
