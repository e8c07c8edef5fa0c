using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.SelfUpgrade;

/// <summary>What <c>GET /cli/latest</c> answers, as far as this program needs it.</summary>
/// <param name="SigningKey">The server's own, in base64; null where everything it offers is signed by its publisher, and with older servers.</param>
internal sealed record LatestRelease(string? CliVersion, IReadOnlyList<ReleaseArchive>? Artifacts, string? SigningKey = null)
{
    public static readonly TimeSpan ProbeIdle = TimeSpan.FromSeconds(3);

    public static async Task<LatestRelease> FetchAsync(ApiClient api, CancellationToken cancellation)
    {
        var answer = (await api.SendAsync(HttpMethod.Get, "/cli/latest", null, ProbeIdle, null, cancellation)).OrFail();
        return answer.As(ReleaseJson.Default.LatestRelease);
    }

    /// <summary>The one for this machine; null where the server has none.</summary>
    public ReleaseArchive? ForThisMachine() => Artifacts?.FirstOrDefault(archive => archive.Rid == Rid && archive.IsSound);

    public static string Rid { get; } =
        $"{(OperatingSystem.IsWindows() ? "win" : OperatingSystem.IsMacOS() ? "osx" : "linux")}-{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "x64")}";
}

/// <param name="Path">On the server; begins with a slash.</param>
/// <param name="Key">The public key that <paramref name="Signature"/> is said to be of.</param>
internal sealed record ReleaseArchive(string? Rid, string? Version, string? Filename, string? Path, string? Sha256, long Size, string? Signature = null, string? Key = null)
{
    private const long SizeMax = 1L << 30;

    /// <summary>It comes from outside and is about to become a path and a limit.</summary>
    public bool IsSound => Identifiers.IsQuoted(Version) && Identifiers.IsQuoted(Filename) && Identifiers.IsSha256(Sha256) && Path?.StartsWith("/cli/", StringComparison.Ordinal) == true
        && Size is > 0 and <= SizeMax && ProgramVersion.IsOlder("0", Version!) && !Version!.Contains("..", StringComparison.Ordinal);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LatestRelease))]
[JsonSerializable(typeof(KnownGood))]
internal sealed partial class ReleaseJson : JsonSerializerContext;

/// <summary><c>last_known_good.json</c>: where the last build that passed its smoke test came from.</summary>
internal sealed record KnownGood(string DownloadUrl)
{
    public static Task WriteAsync(ConfigFolder folder, string url, CancellationToken cancellation)
    {
        folder.Create();
        return AtomicFile.WriteTextAsync(System.IO.Path.Combine(folder.Path, "last_known_good.json"), JsonSerializer.Serialize(new KnownGood(url), ReleaseJson.Default.KnownGood) + "\n", cancellation);
    }
}
