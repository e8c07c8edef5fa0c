namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>An application registered at an issuer.</summary>
/// <param name="Key">Names the provider in paths, cookies and sessions.</param>
/// <param name="OtherIssuers">Further names that the issuer's ID tokens may carry.</param>
internal sealed record OpenIdClient(string Key, string Issuer, string ClientId, string ClientSecret, string Scopes)
{
    public IReadOnlyList<string> OtherIssuers { get; init; } = [];

    /// <summary>Where the issuer sends the browser back to.</summary>
    public string CallbackPath => $"/auth/{Key}/callback";

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{Issuer} client {ClientId}";
}

/// <summary>A sign-in that the issuer, or we, did not let through.</summary>
/// <param name="code">What the sign-in page explains.</param>
/// <param name="reason">For the log: nothing secret.</param>
internal sealed class SignInRefusedException(string code, string reason, Exception? inner = null) : Exception(reason, inner)
{
    public const string Failed = "oauth_failed";

    public string Code { get; } = code;
}
