using System.Diagnostics;

namespace Agnes.Campaigns;

internal sealed record Ended(int ExitCode, string Output);

/// <summary>The built programs, run to their end or killed on the way.</summary>
internal static class Programs
{
    public static Task<Ended> RunAsync(string name, string[] arguments, Dictionary<string, string> environment, CancellationToken cancellation, int? killAfterMilliseconds = null) =>
        RunAtAsync(ServerProcess.Program(name), arguments, environment, cancellation, killAfterMilliseconds);

    /// <param name="program">Its path.</param>
    /// <param name="started">Gets its process id.</param>
    public static async Task<Ended> RunAtAsync(
        string program, string[] arguments, Dictionary<string, string> environment, CancellationToken cancellation,
        int? killAfterMilliseconds = null, Action<int>? started = null)
    {
        var info = new ProcessStartInfo(program) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) info.ArgumentList.Add(argument);
        foreach (var (key, value) in environment) info.Environment[key] = value;
        using var process = Process.Start(info)!;
        started?.Invoke(process.Id);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        if (killAfterMilliseconds is { } delay)
        {
            var ended = process.WaitForExitAsync(cancellation);
            await Task.WhenAny(ended, Task.Delay(delay, cancellation));
            if (!process.HasExited) process.Kill();
        }

        await process.WaitForExitAsync(cancellation);
        return new Ended(process.ExitCode, await output + await errors);
    }
}
