using System.CommandLine;
using System.Text.Json.Nodes;
using Agnes.Cli.Api;
using Agnes.Cli.Output;
using Agnes.Cli.Workspace;

namespace Agnes.Cli.Commands;

/// <summary><c>agnes pull</c>: makes the workspace what the server says you may have.</summary>
internal static class PullCommand
{
    private static readonly TimeSpan HastyAnswer = TimeSpan.FromSeconds(5);

    public static Command Build(Host host)
    {
        var quiet = Shared.Quiet();
        var json = Shared.Json();
        var dryRun = new Option<bool>("--dry-run") { Description = "Say what would be done; write nothing." };
        var skip = new Option<bool>("--skip-materialize") { Description = "Leave tables with mode 'materialized' as they are here." };
        var noPrune = new Option<bool>("--no-prune") { Description = "Keep tables that the server no longer offers." };
        var rollback = new Option<bool>("--rollback") { Description = "Go back to the tables as they were before the last pull that changed any. Quiet pulls (the hooks') then bring nothing newer until you run 'agnes pull'." };
        var within = Shared.Within();
        var command = new AgnesCommand(
            "pull",
            "Brings the tables you were granted into this workspace: only what changed, checked by hash, and takes away what was revoked. Continues where an interrupted pull stopped.",
            "agnes pull",
            "agnes pull --dry-run",
            "agnes pull --rollback",
            "agnes pull --quiet || echo 'some tables are not up to date'") { quiet, json, dryRun, skip, noPrune, rollback, within };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = new PullOptions(parsed.GetValue(dryRun), parsed.GetValue(skip), !parsed.GetValue(noPrune), parsed.GetValue(quiet));
            // Whoever cannot wait for the tables does not wait long for a server that says nothing either.
            if (parsed.GetValue(within) is not null) options = options with { FirstAnswer = HastyAnswer };
            var asJson = parsed.GetValue(json);
            if (parsed.GetValue(rollback)) return await RollBackAsync(host, options, asJson, cancellation);
            return await Shared.WithinAsync(
                host, parsed.GetValue(within), stop => RunAsync(host, host.Api, Layout.Current(), options, asJson, stop), "The pull", "The tables are as they were; what was downloaded is kept, and the next 'agnes pull' goes on from there.", cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(Host host, ApiClient api, Layout layout, PullOptions options, bool asJson, CancellationToken cancellation)
    {
        var progress = PullProgress.For(host, isShown: !options.IsQuiet && !asJson && !options.DryRun);
        try
        {
            RequireToken(api);
            layout.RefuseUnsafe();
            if (!options.DryRun) Close(host, layout, options);
            var instructions = new Instructions(api, layout);
            var text = options.DryRun ? null : instructions.BeginRefreshAsync(cancellation);
            var report = await new Puller(host, api, layout, options, progress).RunAsync(cancellation);
            if (text is not null && !report.IsSkippedLocked) report = await WithInstructionsAsync(report, instructions, await text, cancellation);
            Print(host, report, options, asJson);
            return report.Errors.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
        }
        catch (CliException failure) when (asJson)
        {
            // Whoever asked for JSON gets JSON, also of a pull that never began.
            JsonText.Write(host, (JsonNode)new PullReport { Errors = [new PullError(null, "manifest", failure.Message)] }.ToJson());
            throw;
        }
    }

    private static void Close(Host host, Layout layout, PullOptions options)
    {
        foreach (var line in layout.Close())
        {
            if (!options.IsQuiet) host.Error.WriteLine($"note: {line}");
        }
    }

    private static async Task<PullReport> WithInstructionsAsync(PullReport report, Instructions instructions, (string? Text, string? Warning) fetched, CancellationToken cancellation)
    {
        try
        {
            report = report with { Instructions = await instructions.ApplyAsync(fetched.Text, cancellation) };
            return fetched.Warning is { } warning ? report with { Warnings = [.. report.Warnings, warning] } : report;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return report with { Warnings = [.. report.Warnings, $"CLAUDE.md was not refreshed: {problem.Message}"] };
        }
    }

    private static async Task<int> RollBackAsync(Host host, PullOptions options, bool asJson, CancellationToken cancellation)
    {
        if (options.DryRun) throw new CliException("--rollback and --dry-run do not go together.", ExitCode.Usage);
        var report = await new Puller(host, host.Api, Layout.Current(), options, new SilentProgress()).RollBackAsync(cancellation);
        if (asJson || report.IsSkippedLocked || options.IsQuiet)
        {
            Print(host, report, options, asJson);
            return report.Errors.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
        }

        foreach (var warning in report.Warnings.Concat(report.Errors.Select(error => error.ToString()))) host.Error.WriteLine($"warn: {DisplayText.Message(warning)}");
        host.Out.WriteLine($"Back at the version before, for: {string.Join(", ", report.Updated)}");
        host.Out.WriteLine("The pulls of your sessions leave it so. Forward again: agnes pull");
        return report.Errors.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
    }

    public static void RequireToken(ApiClient api)
    {
        if (string.IsNullOrEmpty(api.Token)) throw new CliException(ErrorText.Local("auth_failed", 401, "not logged in", "Run 'agnes auth login', or make a token in the browser and store it: agnes auth import-token --token -")) { IsBlock = true };
    }

    public static void Print(Host host, PullReport report, PullOptions options, bool asJson)
    {
        if (asJson) JsonText.Write(host, (JsonNode)report.ToJson());
        host.Flush();
        foreach (var error in report.Errors) host.Error.WriteLine($"warn: {DisplayText.Message(error.ToString())}");
        foreach (var warning in report.Warnings) host.Error.WriteLine($"warn: {DisplayText.Message(warning)}");
        if (asJson || options.IsQuiet) return;
        if (report.IsSkippedLocked) host.Out.WriteLine("Another pull is at work in this workspace.");
        else if (report.IsDryRun) PrintPlan(host, report);
        else
        {
            host.Out.WriteLine($"{report.Updated.Count} of {report.ParquetsTotal} tables updated{(report.BytesReceived > 0 ? $" ({Columns.Bytes(report.BytesReceived)} in {report.Duration.TotalSeconds:0.0} s)" : "")}.");
            if (report.Removed.Count > 0) host.Out.WriteLine($"Removed, no longer offered to you: {string.Join(", ", report.Removed)}");
            if (report.Instructions == InstructionsOutcome.Updated) host.Out.WriteLine("CLAUDE.md updated from the server.");
            if (report.Instructions == InstructionsOutcome.KeptEdited) host.Out.WriteLine("CLAUDE.md was edited here and stays; the server's newer text is in .claude/agnes-instructions.md. To take it: agnes init --force (keeps a copy of yours).");
            if (report.Errors.Count > 0) host.Out.WriteLine($"{report.Errors.Count} failed; what was there before is kept. Run 'agnes pull' again.");
        }
    }

    private static void PrintPlan(Host host, PullReport report)
    {
        host.Out.WriteLine($"Would update {report.Updated.Count} of {report.ParquetsTotal} tables: {report.PartsPlanned} files, {Columns.Bytes(report.BytesPlanned)}.");
        foreach (var name in report.Updated) host.Out.WriteLine($"  update {name}");
        foreach (var name in report.Removed) host.Out.WriteLine($"  remove {name}");
    }
}
