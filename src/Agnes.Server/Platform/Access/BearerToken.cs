namespace Agnes.Server.Platform.Access;

/// <summary>What a program presents to say who it is. One reading for who asks and for whether another site may have made the request.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";

    /// <summary>The text after the scheme, which is written in any case; null without one, and then the cookie counts.</summary>
    public static string? Of(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) && header.Length > Scheme.Length ? header[Scheme.Length..] : null;
    }
}
