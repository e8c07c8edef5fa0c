using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Users.Pages;

/// <summary>One's own account.</summary>
internal static class ProfilePages
{
    private const int TablesListedMax = 12;

    public static void MapProfilePages(this IEndpointRouteBuilder routes) => routes.MapGet("/profile", ShowProfile).ExcludeFromDescription().SignedIn();

    private static IResult ShowProfile(HttpContext context)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var user = snapshot.User(caller.UserId)!;
        var groups = snapshot.MembershipsOf(user.Id).GroupBy(row => row.GroupId, StringComparer.Ordinal).Select(rows => Group(snapshot, rows.Key, [.. rows]));
        return Page.Show<ProfilePage>(new ProfileModel(
            user.Email, user.Name, caller.IsAdmin, user.CreatedAt, user.PasswordHash is not null, [.. groups.OrderBy(group => group.Name, StringComparer.OrdinalIgnoreCase)]));
    }

    private static ProfileGroup Group(Snapshot snapshot, string id, IReadOnlyList<MembershipRow> rows)
    {
        var tables = snapshot.ResourceIdsOf(id, Access.TableType);
        return new ProfileGroup(
            snapshot.Group(id)?.Name ?? id,
            [.. rows.Select(row => Origin(row.Source)).Distinct(StringComparer.Ordinal)],
            rows.Min(row => row.AddedAt),
            [.. tables.Select(table => new ProfileTable(snapshot.Table(table)?.Name ?? table, CatalogEntry.Address(table))).OrderBy(table => table.Name, StringComparer.OrdinalIgnoreCase).Take(TablesListedMax)],
            tables.Count);
    }

    private static string Origin(string source) => source switch
    {
        "google_sync" => "Google",
        "oidc_sync" => "single sign-on",
        "system_seed" => "system",
        "cli_break_glass" => "break-glass",
        _ => "admin",
    };
}
