using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Distribution;

/// <summary>
/// <c>GET /cli/latest</c>. The first three keys belong to clients that install Python wheels; they stay null, as there is none, so that such a client leaves itself alone.
/// Each archive carries a signature and the key that made it; <c>signing_key</c> is this server's own, where it signs at all.
/// </summary>
internal static class ShowLatest
{
    public static IResult Handle(CliPackages packages, ReleaseKey key)
    {
        var current = packages.Current();
        var latest = new LatestCli(
            null, null, null,
            current.Count == 0 ? null : current.Select(package => package.Version).MaxBy(Version.Parse),
            current.Count == 0 || current.Any(package => package.IsOwn) ? key.Public : null,
            [.. current.Select(CliArtifact.Of)]);
        return JsonBody.Of(latest, DistributionJson.Default.LatestCli);
    }
}

internal sealed record LatestCli(
    string? Version, string? WheelFilename, string? DownloadUrlPath, string? CliVersion, string? SigningKey,
    IReadOnlyList<CliArtifact> Artifacts);

internal sealed record CliArtifact(
    string Rid, string Version, string Filename, string Path, string Sha256, long Size, string Signature, string Key)
{
    public static CliArtifact Of(CliPackage package) => new(
        package.Rid, package.Version, package.FileName, $"/cli/download/{package.FileName}", package.Sha256, package.Size,
        package.Signature, package.Key);
}
