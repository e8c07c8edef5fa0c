namespace Agnes.Server.Web;

/// <summary>An entry of the header, with the keys that go there.</summary>
internal sealed record NavLink(string Label, string Href, string Shortcut, params IReadOnlyList<string> Also)
{
    public static readonly IReadOnlyList<NavLink> Everyone =
    [
        new("Home", "/dashboard", "g h", "/", "/home"),
        new("Catalog", "/catalog", "g c"),
        new("Metrics", "/business-metrics", "g m", "/verified-queries"),
    ];

    public static readonly IReadOnlyList<NavLink> Admins =
    [
        new("Tables", "/admin/tables", "g t"),
        new("Syncs", "/admin/sync", "g s"),
        new("Prompts", "/admin/workspace-prompt", "g p", "/admin/agent-prompt"),
    ];

    /// <summary>Whether a page belongs under this entry.</summary>
    public bool Covers(PathString page) => page.StartsWithSegments(Href) || Also.Any(also => page.Value == also || (also != "/" && page.StartsWithSegments(also)));
}
