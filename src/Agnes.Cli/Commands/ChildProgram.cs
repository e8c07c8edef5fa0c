using System.ComponentModel;
using System.Diagnostics;

namespace Agnes.Cli.Commands;

/// <summary>Another program in the foreground: it has this terminal, the current folder and this environment, except the user's token.</summary>
internal static class ChildProgram
{
    /// <summary>Ctrl-C reaches it as well; after this it did not want to hear it. Well below the time after which our own program is ended: stopping a whole tree takes some on a busy machine.</summary>
    private static readonly TimeSpan TimeToEnd = TimeSpan.FromSeconds(1.5);

    /// <param name="arguments">As a list, so that no shell reads them.</param>
    /// <returns>Its exit code.</returns>
    /// <exception cref="CliException">It is not installed; <paramref name="missing"/> says what to do.</exception>
    public static async Task<int> RunAsync(Host host, string program, IReadOnlyList<string> arguments, string missing, CancellationToken cancellation)
    {
        host.Flush();
        await Task.Yield(); // signals are listened to from the first wait on
        var start = new ProcessStartInfo(program, arguments) { UseShellExecute = false };
        start.Environment.Remove("AGNES_TOKEN");
        using var process = Start(start) ?? throw new CliException($"'{program}' cannot be started here.") { Hint = missing };
        try
        {
            await process.WaitForExitAsync(cancellation);
        }
        catch (OperationCanceledException)
        {
            using var time = new CancellationTokenSource(TimeToEnd, host.Clock);
            try
            {
                await process.WaitForExitAsync(time.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
            }

            throw;
        }

        return process.ExitCode;
    }

    private static Process? Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
