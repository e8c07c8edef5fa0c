using Agnes.Cli.Api;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>Asks the server what there is.</summary>
/// <param name="idle">How long the first answer may take.</param>
internal sealed class ManifestClient(ApiClient api, TimeSpan idle)
{
    /// <returns>No manifest where it is still the one with that tag.</returns>
    public async Task<(Manifest? Manifest, string? ETag)> GetAsync(string? knownETag, CancellationToken cancellation)
    {
        var answer = await api.SendAsync(HttpMethod.Get, "/api/sync/manifest", null, idle, knownETag, cancellation);
        if (answer.IsNotModified && knownETag is not null) return (null, knownETag);
        if (answer.Status == 401) throw new CliException(ErrorText.Local("auth_failed", 401, "the server does not accept the token", $"Sign in again (agnes auth login), or make a new token at {api.Server}/tokens and store it: agnes auth import-token --token -")) { IsBlock = true };
        answer.OrFail();
        var manifest = answer.As(ProtocolJson.Default.Manifest);
        return manifest.Tables is null ? throw new CliException("The manifest holds no tables.") : (manifest, answer.ETag);
    }

    /// <returns>Null where the server no longer has that list: the table moved on.</returns>
    public async Task<PartsList?> GetPartsAsync(string key, string digest, CancellationToken cancellation)
    {
        var answer = await api.GetAsync($"/api/sync/parts/{Uri.EscapeDataString(key)}/{digest}", cancellation);
        if (answer.Status is 403 or 404 or 410) return null;
        return answer.OrFail().As(ProtocolJson.Default.PartsList);
    }
}
