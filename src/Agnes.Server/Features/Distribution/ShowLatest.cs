using System.Text.Json.Nodes;
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
        return JsonBody.Of(new JsonObject
        {
            ["version"] = null,
            ["wheel_filename"] = null,
            ["download_url_path"] = null,
            ["cli_version"] = current.Count == 0 ? null : current.Select(package => package.Version).MaxBy(Version.Parse),
            ["signing_key"] = current.Count == 0 || current.Any(package => package.IsOwn) ? key.Public : null,
            ["artifacts"] = new JsonArray([.. current.Select(package => (JsonNode)new JsonObject
            {
                ["rid"] = package.Rid,
                ["version"] = package.Version,
                ["filename"] = package.FileName,
                ["path"] = $"/cli/download/{package.FileName}",
                ["sha256"] = package.Sha256,
                ["size"] = package.Size,
                ["signature"] = package.Signature,
                ["key"] = package.Key,
            })]),
        });
    }
}
