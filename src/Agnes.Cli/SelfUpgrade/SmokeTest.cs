using System.ComponentModel;
using System.Diagnostics;

namespace Agnes.Cli.SelfUpgrade;

/// <summary>Whether a program starts on this machine and is the version it should be.</summary>
internal static class SmokeTest
{
    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(10);

    /// <returns>What is wrong with it; null when nothing is.</returns>
    public static async Task<string?> FaultAsync(string program, string version, CancellationToken cancellation)
    {
        var info = new ProcessStartInfo(program, ["--version"]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, CreateNoWindow = true };
        info.Environment["AGNES_NO_UPDATE_CHECK"] = "1";
        info.Environment["AGNES_SELF_UPGRADE_IN_PROGRESS"] = "1";
        info.Environment.Remove("AGNES_TOKEN");
        try
        {
            using var process = Process.Start(info);
            if (process is null) return "it did not start";
            process.StandardInput.Close();
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            limit.CancelAfter(TimeMax);
            try
            {
                var errors = process.StandardError.ReadToEndAsync(limit.Token);
                var said = (await process.StandardOutput.ReadToEndAsync(limit.Token)).Trim();
                await process.WaitForExitAsync(limit.Token);
                if (process.ExitCode != 0) return $"it exited with {process.ExitCode}: {(await errors).Trim().Split('\n')[0]}";
                return said == $"agnes {version}" ? null : $"it says '{said.Split('\n')[0]}' instead of 'agnes {version}'";
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                return $"it did not answer within {TimeMax.TotalSeconds:0} s";
            }
        }
        catch (Win32Exception problem)
        {
            return $"it did not start: {problem.Message}";
        }
    }
}
