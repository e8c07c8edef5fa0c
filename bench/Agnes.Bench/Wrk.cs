using System.Globalization;
using System.Text.RegularExpressions;

namespace Agnes.Bench;

/// <summary>One run of <c>wrk</c>.</summary>
internal sealed partial record Wrk(double RequestsPerSecond, double BytesPerSecond, double P99Milliseconds)
{
    public static Task<Wrk> RunAsync(string url, int connections, int seconds, params string[] headers) =>
        RunAsync(["-t2", $"-c{connections}", $"-d{seconds}s", "--latency", "--timeout", "30s", .. headers.SelectMany(header => (string[])["-H", header]), url]);

    /// <param name="script">Says what is sent; one thread, so that it is loaded once.</param>
    public static Task<Wrk> RunScriptAsync(string url, string script, int connections, int seconds) =>
        RunAsync(["-t1", $"-c{connections}", $"-d{seconds}s", "--latency", "--timeout", "30s", "-s", script, url]);

    private static async Task<Wrk> RunAsync(string[] arguments)
    {
        var text = await Child.RunAsync("wrk", arguments);
        if (NotOk().Match(text) is { Success: true } bad) throw new InvalidOperationException($"wrk met answers other than 2xx/3xx: {bad.Value}");
        return new Wrk(double.Parse(Requests().Match(text).Groups[1].Value, CultureInfo.InvariantCulture), Bytes(Transfer().Match(text)), Milliseconds(P99().Match(text)));
    }

    private static double Bytes(Match match) => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) *
        match.Groups[2].Value switch { "KB" => 1 << 10, "MB" => 1 << 20, "GB" => 1 << 30, _ => 1 };

    private static double Milliseconds(Match match) => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) *
        match.Groups[2].Value switch { "us" => 0.001, "ms" => 1, "s" => 1000, _ => 60_000 };

    [GeneratedRegex(@"Non-2xx or 3xx responses: \d+")]
    private static partial Regex NotOk();

    [GeneratedRegex(@"Requests/sec:\s+([\d.]+)")]
    private static partial Regex Requests();

    [GeneratedRegex(@"Transfer/sec:\s+([\d.]+)([KMG]?B)")]
    private static partial Regex Transfer();

    [GeneratedRegex(@"99%\s+([\d.]+)(us|ms|s|m)")]
    private static partial Regex P99();
}
