using Agnes.Engine.Foreign;
using Agnes.Engine.Limits;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Commands.Import;

/// <summary><c>agnes-server import</c>.</summary>
internal static class ImportCommand
{
    public const string Name = "import";
    private const int ExitFailed = 1;

    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Func<string, string?> environment, TextWriter output, CancellationToken stop)
    {
        var given = ImportOptions.Parse(args);
        var options = ServerOptions.From(given.DataDir is null ? [] : ["--data-dir", given.DataDir], environment);
        try
        {
            var report = await new ImportRun(given, options, TimeProvider.System).RunAsync(stop);
            foreach (var line in report.Lines()) await output.WriteLineAsync(line);
            await output.WriteLineAsync(given.DryRun ? "Nothing was written: this was a dry run." : $"Every name is in {Path.Combine(options.StateDir, ImportRun.ReportName)}. Start agnes-server; the tables are published then.");
            return 0;
        }
        catch (Exception failure) when (failure is ImportException or IOException or UnauthorizedAccessException)
        {
            await output.WriteLineAsync(failure.Message);
            return ExitFailed;
        }
    }
}
