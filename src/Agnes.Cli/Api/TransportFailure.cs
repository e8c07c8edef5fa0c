using System.Net.Sockets;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Api;

/// <summary>What goes wrong between here and the server, said once and with what to do about it.</summary>
internal static class TransportFailure
{
    private const double LongWaitSeconds = 60;

    /// <returns>Null where the exception is not one of transport (or the user's own Ctrl-C).</returns>
    public static CliException? From(Exception problem, string call, ServerAddress server, ConfigFolder folder, CancellationToken cancellation)
    {
        if (cancellation.IsCancellationRequested || LocalTrouble.IsDiskFull(problem)) return null;
        var log = $"Details: {folder.LastErrorLog}";
        return problem switch
        {
            TimeoutException timeout => new CliException($"{call}: {timeout.Message} ({server}).") { Hint = $"{(IsLong(timeout) ? "Narrow the WHERE, check the cost first with 'agnes snapshot create … --estimate', or raise AGNES_QUERY_TIMEOUT." : "Check 'agnes status' and try again.")} {log}" },
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } tls when Innermost(tls).Contains("frame", StringComparison.OrdinalIgnoreCase) =>
                new CliException($"{call}: {server} does not speak TLS there.") { Hint = $"Is its address http:// rather than https://, or is the port another one? {log}" },
            HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } tls => new CliException($"{call}: {server} is not trusted: {Innermost(tls)}") { Hint = $"If your company has its own certificate authority, put its certificate into ~/.agnes/ca.pem or name it in SSL_CERT_FILE. {log}" },
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError or HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError } connect => new CliException($"{call}: cannot connect to {server}: {Innermost(connect)}") { Hint = $"Check the address (AGNES_SERVER, config.yaml), VPN, DNS and firewall. {log}" },
            HttpRequestException or IOException or SocketException => new CliException($"{call}: the connection to {server} broke: {Innermost(problem)}") { Hint = $"This is usually transient; try again. {log}" },
            _ => null,
        };
    }

    public static bool IsTransient(Exception problem) => problem is TimeoutException or HttpRequestException or SocketException or HttpIOException;

    private static bool IsLong(TimeoutException timeout) => timeout.Message.Split(' ').Any(word => double.TryParse(word, out var seconds) && seconds >= LongWaitSeconds);

    private static string Innermost(Exception problem) => problem.InnerException is { } inner ? Innermost(inner) : problem.Message;
}
