namespace Agnes.Server.Web;

/// <summary>Who looks at a page, as far as the frame around it shows.</summary>
public sealed record Viewer(string Email, string? Name, bool IsAdmin)
{
    /// <summary>Null before sign-in, and where an error came before anyone asked who it is.</summary>
    public static Viewer? Of(HttpContext context) => null;
}
