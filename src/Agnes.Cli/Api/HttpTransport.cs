using System.Net;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Api;

/// <summary>The one place that makes an HTTP client: who we say we are, no redirects, proxies from the environment, no limit on a whole request.</summary>
internal static class HttpTransport
{
    private const int ConnectionsMax = 64;
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(30);

    /// <param name="decompress">Off for Parquet, whose ranges are ranges of the file's own bytes.</param>
    public static HttpClient Create(bool decompress) =>
        new(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = decompress ? DecompressionMethods.GZip : DecompressionMethods.None,
            ConnectTimeout = ConnectTimeout,
            MaxConnectionsPerServer = ConnectionsMax,
            EnableMultipleHttp2Connections = true,
            SslOptions = Trust.Options(),
        })
        {
            // Limits are on silence (IdleReader), never on the whole: a big file may take its time.
            Timeout = Timeout.InfiniteTimeSpan,
        };

    public static HttpRequestMessage Request(HttpMethod method, Uri address, string? token)
    {
        var request = new HttpRequestMessage(method, address)
        {
            VersionPolicy = address.Scheme == Uri.UriSchemeHttps ? HttpVersionPolicy.RequestVersionOrLower : HttpVersionPolicy.RequestVersionExact,
            Version = address.Scheme == Uri.UriSchemeHttps ? HttpVersion.Version20 : HttpVersion.Version11,
        };
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (!string.IsNullOrEmpty(token)) request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {token}");
        return request;
    }

    private static string UserAgent { get; } =
        $"agnes/{ProgramVersion.Text} ({(OperatingSystem.IsWindows() ? "windows" : OperatingSystem.IsMacOS() ? "darwin" : "linux")})";
}
