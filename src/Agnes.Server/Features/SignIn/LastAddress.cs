using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>Where the server listened when it was last started: commands that print links know it by this file, whatever arguments the server had.</summary>
internal static class LastAddress
{
    private const string FileName = ".last_address";
    private const int CharsMax = 2_000;

    public static Task SaveAsync(ServerOptions options, IEnumerable<string> addresses, CancellationToken stop) =>
        PrivateFile.ReplaceAsync(Path.Combine(options.StateDir, FileName), string.Join('\n', addresses), stop);

    /// <summary>The configured address, else where the server listened last, else where it would now.</summary>
    public static string Of(ServerOptions options)
    {
        if (PublicAddress.Configured(options) is { } configured) return configured;
        var file = Path.Combine(options.StateDir, FileName);
        var known = File.Exists(file) && new FileInfo(file).Length < CharsMax ? File.ReadAllLines(file) : [];
        return Reachable(known) ?? Reachable(options.Urls.Split(';', StringSplitOptions.TrimEntries)) ?? ServerOptions.UrlDefault;
    }

    /// <summary>As a browser on this machine writes it: an address of all interfaces is none to go to.</summary>
    private static string? Reachable(IEnumerable<string> addresses)
    {
        foreach (var address in addresses)
        {
            try
            {
                var bound = BindingAddress.Parse(address);
                if (bound.IsUnixPipe || bound.IsNamedPipe || bound.Port == 0) continue;
                return $"{bound.Scheme}://{(bound.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "localhost" : bound.Host)}:{bound.Port}";
            }
            catch (FormatException)
            {
                // Not one of ours.
            }
        }

        return null;
    }
}
