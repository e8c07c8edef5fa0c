using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Groups;

/// <summary>Domains of shared knowledge: a fixed list.</summary>
internal sealed class MemoryDomains : IResourceType
{
    private static readonly string[] Domains = ["finance", "engineering", "product", "data", "operations", "infrastructure"];

    public string Key => "memory_domain";

    public string DisplayName => "Memory domains";

    public string Description => "Members receive the shared knowledge of the domain.";

    public string IdFormat => "<domain>";

    public bool Exists(Snapshot snapshot, string resourceId) => Domains.Contains(resourceId);

    public IEnumerable<ResourceBlock> Blocks(Snapshot snapshot) =>
        [new ResourceBlock("memory_domains", DisplayName, [.. Domains.Select(domain => new ResourceItem(domain, domain, "domain", null, $"Shared knowledge about {domain}."))])];
}

/// <summary>
/// Plugins of marketplaces. Grants of an imported installation name some before a marketplace is registered here: they are kept, shown, explained and revoked like any
/// other, and no plugin exists until one is.
/// </summary>
internal sealed class MarketplacePlugins : IResourceType
{
    public string Key => "marketplace_plugin";

    public string DisplayName => "Marketplace plugins";

    public string Description => "Members' marketplace feed offers the plugin.";

    public string IdFormat => "<marketplace_slug>/<plugin_name>";

    public bool Exists(Snapshot snapshot, string resourceId) => false;

    public IEnumerable<ResourceBlock> Blocks(Snapshot snapshot) => [];
}
