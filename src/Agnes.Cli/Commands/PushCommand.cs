using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Output;
using Agnes.Cli.Sessions;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes push</c>: uploads captured sessions and the user's notes.</summary>
internal static class PushCommand
{
    public static Command Build(Host host)
    {
        var quiet = Shared.Quiet();
        var json = Shared.Json();
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be uploaded; change nothing." };
        var legacy = new Option<bool>("--legacy-scan") { Description = "Also upload transcripts of this folder that no hook captured." };
        var command = new AgnesCommand(
            "push",
            "Uploads the transcripts of this workspace's sessions, except those marked private, and your .claude/CLAUDE.local.md. The session-end hook runs it in the background.",
            "agnes push --dry-run",
            "agnes push --json") { quiet, json, dryRun, legacy };
        command.SetAction(async (parsed, cancellation) =>
        {
            var (isQuiet, asJson) = (parsed.GetValue(quiet), parsed.GetValue(json));
            var layout = Layout.Current();
            if (parsed.GetValue(dryRun)) return DryRun(host, new Pusher(host, host.Api, layout).DryRun(parsed.GetValue(legacy)), asJson);
            PullCommand.RequireToken(host.Api);
            var report = await new Pusher(host, host.Api, layout).RunAsync(parsed.GetValue(legacy), cancellation);
            Print(host, layout, report, isQuiet, asJson);
            return ExitCode.Ok;
        });
        return command;
    }

    private static int DryRun(Host host, JsonObject plan, bool asJson)
    {
        if (asJson)
        {
            JsonText.Write(host, (JsonNode)plan);
            return ExitCode.Ok;
        }

        foreach (var session in plan["would_upload"]!["sessions"]!.AsArray()) host.Out.WriteLine($"would upload {session}");
        if (plan["would_upload"]!["local_md"] is { } notes) host.Out.WriteLine($"would upload {notes}");
        foreach (var session in plan["would_skip_private"]!.AsArray()) host.Out.WriteLine($"private, stays here: {session!["path"]}");
        foreach (var session in plan["would_refuse"]!.AsArray()) host.Out.WriteLine($"stays here: {DisplayText.Message($"{session!["path"]}: {session["error"]}")}");
        host.Out.WriteLine($"{plan["summary"]!["sessions_count"]} sessions");
        return ExitCode.Ok;
    }

    private static void Print(Host host, Layout layout, PushReport? report, bool isQuiet, bool asJson)
    {
        if (asJson) JsonText.Write(host, (JsonNode)(report?.ToJson() ?? new JsonObject { ["skipped"] = "locked" }));
        host.Flush();
        if (report is null) return;
        foreach (var error in report.Errors) host.Error.WriteLine($"warn: {DisplayText.Message($"{error!["file"]}: {error["error"] ?? $"HTTP {error["status"]}"}")}");
        if (asJson || isQuiet) return;
        host.Out.WriteLine($"Uploaded: {report.Sessions} sessions{(report.LocalNotes ? ", CLAUDE.local.md" : "")} (log: {layout.SessionsUploaded})");
        if (report.PrivateSkipped > 0) host.Out.WriteLine($"Private, not uploaded: {report.PrivateSkipped} (log: {layout.SessionsPrivateSkipped})");
        if (report.DroppedPermanent > 0) host.Out.WriteLine($"Refused by the server for good: {report.DroppedPermanent} (log: {layout.SessionsFailed})");
        if (report.Skipped > 0) host.Out.WriteLine($"Gone, or not this workspace's to send: {report.Skipped}");
    }
}
