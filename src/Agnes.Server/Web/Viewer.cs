using Agnes.Server.Platform.Access;

namespace Agnes.Server.Web;

/// <summary>Who looks at a page, as far as the frame around it shows.</summary>
public sealed record Viewer(string Email, string? Name, bool IsAdmin)
{
    /// <summary>Null before sign-in.</summary>
    public static Viewer? Of(HttpContext context) => context.CallerOrNull() is { } caller ? new Viewer(caller.Email, caller.Name, caller.IsAdmin) : null;
}
