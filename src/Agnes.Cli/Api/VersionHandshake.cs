using System.Net.Http.Headers;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Api;

/// <summary>A program older than the server's minimum stops itself.</summary>
internal static class VersionHandshake
{
    public static void Check(HttpResponseHeaders headers)
    {
        if (Environment.GetEnvironmentVariable("AGNES_SELF_UPGRADE_IN_PROGRESS") == "1") return;
        if (!headers.TryGetValues("X-Agnes-Min-Version", out var minimums) || !headers.TryGetValues("X-Agnes-Latest-Version", out var latests)) return;
        var minimum = minimums.First();
        if (!ProgramVersion.IsOlder(ProgramVersion.Text, minimum)) return;
        throw new CliException($"this agnes is {ProgramVersion.Text}, the server ({latests.First()}) requires at least {minimum}; run: agnes self-upgrade", ExitCode.Usage);
    }
}
