using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;

namespace Agnes.Cli.SelfUpgrade;

/// <summary>
/// One line on stderr where the server offers a newer program. Asked beside commands that talk to the server anyway, and never waited for; what works offline
/// (local queries above all) neither asks nor tells.
/// </summary>
internal static class UpdateNotice
{
    private const string Off = "AGNES_NO_UPDATE_CHECK";
    private static readonly TimeSpan GoodFor = TimeSpan.FromHours(24);
    private static readonly TimeSpan FailedFor = TimeSpan.FromMinutes(5);

    /// <summary>What a command that is done waits at most for an answer that is under way.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200);

    private static readonly HashSet<string> Online = new(StringComparer.Ordinal)
    {
        "pull", "push", "catalog", "schema", "describe", "sample", "verified", "snapshot", "diagnose", "doctor", "setup", "auth", "admin", "onboarded",
    };

    public static async Task<int> AroundAsync(Host host, string[] args, Func<Task<int>> run)
    {
        if (!Applies(args) || Configured(host) is not { } server) return await run();
        if (Read(host, server) is { } known)
        {
            Tell(host, known.Latest, known.DownloadUrl);
            return await run();
        }

        using var stop = new CancellationTokenSource();
        var probe = ProbeAsync(host, server, stop.Token);
        try
        {
            return await run();
        }
        finally
        {
            await Task.WhenAny(probe, Task.Delay(Grace, host.Clock, CancellationToken.None));
            await stop.CancelAsync();
            var found = await probe;
            host.Flush();
            Tell(host, found?.Latest, found?.DownloadUrl);
        }
    }

    /// <summary>The next command asks anew.</summary>
    public static void Forget(Host host)
    {
        if (File.Exists(PathOf(host))) File.Delete(PathOf(host));
    }

    private static bool Applies(string[] args)
    {
        if (Environment.GetEnvironmentVariable(Off)?.Trim().ToLowerInvariant() is "1" or "true" or "yes") return false;
        if (args.Length == 0 || args.Contains("--quiet", StringComparer.Ordinal) || args.Contains("-q", StringComparer.Ordinal)) return false;
        return Online.Contains(args[0]) || (args[0] is "query" or "explore" && args.Contains("--remote", StringComparer.Ordinal));
    }

    private static ServerAddress? Configured(Host host)
    {
        try
        {
            return host.Settings.ConfiguredServer() is { } url ? ServerAddress.Parse(url) : null;
        }
        catch (CliException)
        {
            return null; // the command itself says what is wrong with it
        }
    }

    private static void Tell(Host host, string? latest, string? downloadUrl)
    {
        if (latest is null || !ProgramVersion.IsOlder(ProgramVersion.Text, latest)) return;
        host.Error.WriteLine($"[update] agnes {ProgramVersion.Text} is installed, the server offers {Output.DisplayText.OneLine(latest)}{(downloadUrl is null ? "" : ": agnes self-upgrade")}");
    }

    /// <returns>What was found out; null where there was no answer.</returns>
    private static async Task<UpdateCheck?> ProbeAsync(Host host, ServerAddress server, CancellationToken cancellation)
    {
        try
        {
            using var api = host.ApiFor(server, token: null);
            var latest = await LatestRelease.FetchAsync(api, cancellation);
            var url = latest.ForThisMachine() is { } archive ? server.Url + archive.Path : null;
            return Keep(host, new UpdateCheck(ProgramVersion.Text, server.Url, latest.CliVersion, url, Now(host)));
        }
        catch (CliException)
        {
            return Keep(host, new UpdateCheck(ProgramVersion.Text, server.Url, null, null, Now(host)));
        }
        catch (OperationCanceledException)
        {
            return null; // the command was done first; the next one asks again
        }
    }

    private static UpdateCheck? Read(Host host, ServerAddress server)
    {
        try
        {
            if (!File.Exists(PathOf(host))) return null;
            var known = JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(host)), UpdateJson.Default.UpdateCheck);
            if (known is null || known.Installed != ProgramVersion.Text || known.ServerUrl != server.Url) return null;
            var age = Now(host) - known.CheckedAt;
            return age >= 0 && age < (known.Latest is null ? FailedFor : GoodFor).TotalSeconds ? known : null;
        }
        catch (Exception problem) when (problem is JsonException or IOException or UnauthorizedAccessException)
        {
            return null; // as good as none
        }
    }

    private static UpdateCheck Keep(Host host, UpdateCheck check)
    {
        try
        {
            host.Settings.Folder.Create();
            var temporary = $"{PathOf(host)}.{Environment.ProcessId}.tmp";
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(check, UpdateJson.Default.UpdateCheck));
            File.Move(temporary, PathOf(host), overwrite: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return check; // asked again next time
        }

        return check;
    }

    private static string PathOf(Host host) => Path.Combine(host.Settings.Folder.Path, "update_check.json");

    private static double Now(Host host) => host.Clock.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}

/// <summary><c>update_check.json</c></summary>
/// <param name="Latest">Null where the server offers none, or could not be asked.</param>
/// <param name="CheckedAt">Seconds since 1970.</param>
internal sealed record UpdateCheck(string Installed, string ServerUrl, string? Latest, string? DownloadUrl, double CheckedAt);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(UpdateCheck))]
internal sealed partial class UpdateJson : JsonSerializerContext;
