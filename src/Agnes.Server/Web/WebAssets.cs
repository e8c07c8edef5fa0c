using Microsoft.AspNetCore.StaticAssets;

namespace Agnes.Server.Web;

/// <summary>
/// Addresses of the bundled files with their fingerprint, so that browsers may keep them for ever. Read from the static assets' endpoints
/// rather than from a page's endpoint, because error pages have none.
/// </summary>
public sealed class WebAssets
{
    private volatile IReadOnlyDictionary<string, string> _addresses = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>The address of a file below <c>wwwroot</c>.</summary>
    public string Address(string file) => _addresses.GetValueOrDefault(file) ?? $"/{file}";

    /// <summary>Reads what <c>MapStaticAssets</c> has mapped.</summary>
    public void Read(IEnumerable<EndpointDataSource> sources)
    {
        var addresses = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var endpoint in sources.SelectMany(source => source.Endpoints))
        {
            var asset = endpoint.Metadata.GetMetadata<StaticAssetDescriptor>();
            if (asset?.Properties.FirstOrDefault(p => p.Name == "label")?.Value is { } file) addresses[file] = $"/{asset.Route}";
        }

        _addresses = addresses;
    }
}
