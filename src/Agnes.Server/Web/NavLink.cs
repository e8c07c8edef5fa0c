namespace Agnes.Server.Web;

/// <summary>An entry of the header, with the keys that go there.</summary>
internal sealed record NavLink(string Label, string Href, string Shortcut, params IReadOnlyList<string> Also)
{
    public static readonly IReadOnlyList<NavLink> Everyone =
    [
        new("Home", "/dashboard", "g h", "/", "/home"),
        new("Catalog", "/catalog", "g c"),
    ];

    public static readonly IReadOnlyList<NavLink> Admins =
    [
        new("Tables", "/admin/tables", "g t"),
        new("Syncs", "/admin/sync", "g s"),
    ];

    /// <summary>Whether a page belongs under this entry.</summary>
    public bool Covers(PathString page) => page.StartsWithSegments(Href) || Also.Contains(page.Value, StringComparer.Ordinal);
}
