using System.CommandLine;

namespace Agnes.Cli.Settings;

/// <summary>
/// Whoever is between this machine and a server can read and change what goes over plain http: tokens, tables, this program. On the machine itself there is nobody
/// between; to another one it goes only where its user says so, once for each server.
/// </summary>
internal static class PlainHttp
{
    private const string Variable = "AGNES_ALLOW_HTTP";

    public static Option<bool> Option() => new("--insecure-http") { Description = "Speak plain http to another machine, where everybody on the way can read your token and change what you get. AGNES_ALLOW_HTTP=1 says the same." };

    public static bool IsOpen(ServerAddress server) => new Uri(server.Url) is { Scheme: "http", IsLoopback: false };

    public static bool IsAllowed(Host host, ServerAddress server, bool isSaid = false) =>
        !IsOpen(server) || isSaid || Environment.GetEnvironmentVariable(Variable)?.Trim() is "1" or "true" or "yes" || KnownServers.Of(host.Settings.Folder, server).PlainHttp;

    /// <exception cref="CliException">It goes to another machine in the open, and nobody said that it may.</exception>
    public static void Require(Host host, ServerAddress server, bool isSaid = false)
    {
        if (IsAllowed(host, server, isSaid)) return;
        throw new CliException($"{server} is plain http to another machine: everybody on the way can read your token and give you another program.", ExitCode.Usage)
        {
            Hint = $"Ask its operator for an https address. If there is none and you know the way there: --insecure-http with init, setup init or self-upgrade, or {Variable}=1",
        };
    }

    /// <summary>Remembers that it was said, so that hooks can go on.</summary>
    public static async Task KeepAsync(Host host, ServerAddress server, CancellationToken cancellation)
    {
        if (IsOpen(server)) await KnownServers.SetAsync(host.Settings.Folder, server, KnownServers.Of(host.Settings.Folder, server) with { PlainHttp = true }, cancellation);
    }
}
