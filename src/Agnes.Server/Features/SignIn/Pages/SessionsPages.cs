using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.SignIn.Pages;

/// <param name="Program">What the client calls itself, in a word or two.</param>
public sealed record SessionEntry(string Id, string Program, string Address, string Method, DateTime CreatedAt, DateTime LastSeenAt, DateTime ExpiresAt, bool Current)
{
    public string ApiHref => $"/auth/sessions/{Uri.EscapeDataString(Id)}";
}

public sealed record SessionsModel(IReadOnlyList<SessionEntry> Sessions);

/// <summary>Where one is signed in, under the profile.</summary>
internal static class SessionsPages
{
    private static readonly (string Mark, string Name)[] Programs =
        [("agnes", "agnes on the command line"), ("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl")];

    private static readonly (string Mark, string Name)[] Systems = [("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "macOS"), ("Linux", "Linux")];

    public static void MapSessionsPages(this IEndpointRouteBuilder routes) => routes.MapGet("/profile/devices", ShowAsync).ExcludeFromDescription().SignedIn();

    private static async Task<IResult> ShowAsync(HttpContext context, StateDb state, TimeProvider time, CancellationToken stop)
    {
        var caller = context.Caller();
        var rows = await ListSessions.ActiveAsync(state, context.Snapshot(), caller.UserId, time, stop);
        return Page.Show<SessionsPage>(new SessionsModel([.. rows.Select(row => new SessionEntry(
            row.Id, Named(row.UserAgent), row.Ip ?? "", MethodName(row.Method), row.CreatedAt, row.LastSeenAt, row.ExpiresAt, row.Id == caller.SessionId))]));
    }

    private static string Named(string? agent)
    {
        if (agent is null) return "Another program";
        var program = Programs.FirstOrDefault(known => agent.Contains(known.Mark, StringComparison.OrdinalIgnoreCase)).Name ?? "Another program";
        return Systems.FirstOrDefault(known => agent.Contains(known.Mark, StringComparison.Ordinal)).Name is { } system ? $"{program} on {system}" : program;
    }

    private static string MethodName(string method) => method switch
    {
        "password" => "Password",
        "email" => "Email link",
        "google" => "Google",
        "oidc" => "Single sign-on",
        "link" => "Password link",
        LocalDoor.Method => "Local development",
        _ => "First set-up",
    };
}
