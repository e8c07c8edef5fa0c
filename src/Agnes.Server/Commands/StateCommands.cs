using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Engines;
using Agnes.Server.Platform.State.Maintenance;

namespace Agnes.Server.Commands;

/// <summary>What opens the state without the server: <c>agnes-server backup|restore|verify</c>.</summary>
internal static class StateCommands
{
    public const int ExitProblems = 1;

    public const string Usage = """
        agnes-server backup --to FILE|DIR            writes the whole state to one file, checked
        agnes-server restore --from FILE [--force]   puts a backup in the place of the state
        agnes-server verify [--hashes]               compares state, parts and hashes; exits 1 if something is wrong

        The server must not run (on PostgreSQL it may, for backup and verify). All take --data-dir DIR.
        """;

    public static bool Knows(string command) => command is "backup" or "restore" or "verify";

    /// <exception cref="OptionsException">The arguments are wrong.</exception>
    /// <exception cref="StateRefusedException">The state cannot be opened.</exception>
    public static async Task<int> RunAsync(string command, IReadOnlyList<string> args, Func<string, string?> environment, TextWriter output, CancellationToken stop)
    {
        var given = Given.Parse(args);
        var server = ServerOptions.From(given.DataDir is null ? [] : ["--data-dir", given.DataDir], environment);
        var options = new StateOptions { DataDir = server.DataDir, StateDir = server.StateDir, ConnectionString = server.StateUrl };
        try
        {
            if (command != "restore") RefuseNothing(options);
            return command switch
            {
                "backup" => await BackupAsync(options, given, output, stop),
                "restore" => await RestoreAsync(options, given, output, stop),
                _ => await VerifyAsync(options, given, output, stop),
            };
        }
        catch (BackupException fault)
        {
            await output.WriteLineAsync(fault.Message);
            return ExitProblems;
        }
    }

    /// <summary>Opening would make a new state, which a mistyped folder should not. A log or a mark alone is for the start to refuse.</summary>
    private static void RefuseNothing(StateOptions options)
    {
        if (options.Engine != StateEngine.DuckDb || Directory.Exists(options.StateDir) && Directory.EnumerateFiles(options.StateDir, $"{StateFiles.MainName}*").Any()) return;
        throw new BackupException($"There is no state in {options.StateDir}.");
    }

    private static async Task<int> BackupAsync(StateOptions options, Given given, TextWriter output, CancellationToken stop)
    {
        var to = given.To ?? throw new OptionsException($"Where to? Give --to FILE or --to DIR.\n\n{Usage}");
        await using var state = await StateDb.OpenAsync(options, cancellation: stop);
        var report = await Backup.RunAsync(state, to, stop);
        await output.WriteLineAsync($"{report.Path}: {report.Bytes} bytes, {report.Rows.Count} tables, {report.Rows.Values.Sum()} rows, opened and counted.");
        return 0;
    }

    private static async Task<int> RestoreAsync(StateOptions options, Given given, TextWriter output, CancellationToken stop)
    {
        var from = given.From ?? throw new OptionsException($"Where from? Give --from FILE.\n\n{Usage}");
        var report = await Restore.RunAsync(options, from, given.Force, stop);
        await output.WriteLineAsync($"Restored {report.Rows.Count} tables, {report.Rows.Values.Sum()} rows.");
        await output.WriteLineAsync("All sessions and mailed links are ended: everybody signs in again.");
        if (report.Revived.Tokens.Count > 0)
        {
            await output.WriteLineAsync(report.Revived.AreRevoked
                ? "These tokens were good in the backup and no longer in the state that it replaced; they stay revoked:"
                : "These tokens are good again. If one was revoked after the backup was made, revoke it: agnes admin token revoke ID");
            foreach (var (id, name, owner) in report.Revived.Tokens) await output.WriteLineAsync($"  {id}  {owner}  {name}");
        }

        if (report.Replaced is not null) await output.WriteLineAsync($"The state that was there is kept in {report.Replaced}.");
        return 0;
    }

    private static async Task<int> VerifyAsync(StateOptions options, Given given, TextWriter output, CancellationToken stop)
    {
        var report = await Verify.RunAsync(options, given.Hashes, stop);
        foreach (var note in report.Notes) await output.WriteLineAsync($"note: {note}");
        foreach (var problem in report.Problems) await output.WriteLineAsync($"problem: {problem}");
        await output.WriteLineAsync(report.Problems.Count == 0
            ? $"{report.Versions} versions, {report.Parts} parts: all is well."
            : $"{report.Versions} versions, {report.Parts} parts: {report.Problems.Count} problems.");
        return report.Problems.Count == 0 ? 0 : ExitProblems;
    }

    private sealed record Given(string? DataDir, string? To, string? From, bool Force, bool Hashes)
    {
        public static Given Parse(IReadOnlyList<string> args)
        {
            var given = new Given(null, null, null, Force: false, Hashes: false);
            for (var at = 0; at < args.Count; at++)
            {
                var (name, inline) = args[at].Split('=', 2) is [var left, var right] ? (left, right) : (args[at], null);
                string Value() => inline ?? (++at < args.Count ? args[at] : throw new OptionsException($"{name} needs a value."));
                given = name switch
                {
                    "--data-dir" => given with { DataDir = Value() },
                    "--to" => given with { To = Value() },
                    "--from" => given with { From = Value() },
                    "--force" when inline is null => given with { Force = true },
                    "--hashes" when inline is null => given with { Hashes = true },
                    _ => throw new OptionsException($"Unknown argument '{name}'.\n\n{Usage}"),
                };
            }
            return given;
        }
    }
}
