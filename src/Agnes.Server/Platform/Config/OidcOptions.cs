namespace Agnes.Server.Platform.Config;

/// <summary>Sign-in with any OpenID Connect issuer: Entra, Okta, Keycloak, and whoever else has a discovery document.</summary>
public sealed record OidcOptions
{
    private static readonly Setting AtIssuer = new(null, "OIDC_ISSUER")
    {
        Means = "Exactly what the discovery document calls itself; https.",
    };
    private static readonly Setting Client = new(null, "OIDC_CLIENT_ID") { Means = "Of the application registered there." };
    private static readonly Setting Secret = new(null, "OIDC_CLIENT_SECRET")
    {
        Kind = "secret",
        By = SettableBy.Admins,
        Means = "Of that application; goes to `OIDC_ISSUER`.",
    };

    internal static readonly SettingGroup Settings = new(
        "OpenID Connect",
        AtIssuer,
        Client,
        Secret,
        new(null, "OIDC_NAME") { Default = "single sign-on", Means = "On the button." },
        new(null, "OIDC_SCOPES") { Default = "openid email profile", Means = "What is asked for." },
        new(null, "OIDC_EMAIL_CLAIM") { Default = "email", Means = "The claim that holds the address." },
        new(null, "OIDC_TRUST_EMAIL")
        {
            Kind = "bool",
            Means = "`1` where the issuer verifies every address but does not send `email_verified`.",
        },
        new(null, "OIDC_GROUPS_CLAIM") { Means = "A claim with a list of names: they become groups here." },
        new(null, "OIDC_GROUP_PREFIX") { Means = "Only groups whose name begins so count, and somebody in none of them may not sign in." },
        new(null, "OIDC_ADMIN_GROUP") { Means = "The issuer's group whose members are admins." })
    { Credentials = [new("OpenID Connect", [Secret], AtIssuer) { With = [Client] }] };

    /// <summary>Exactly what the discovery document and the ID tokens call it.</summary>
    public required string Issuer { get; init; }

    public required string ClientId { get; init; }

    public required string ClientSecret { get; init; }

    /// <summary>What the button on the sign-in page says: "Sign in with {Name}".</summary>
    public string Name { get; init; } = "single sign-on";

    public string Scopes { get; init; } = "openid email profile";

    /// <summary>The claim that holds the e-mail address.</summary>
    public string EmailClaim { get; init; } = "email";

    /// <summary>The issuer says nothing of <c>email_verified</c>, and the operator knows that it verifies all addresses.</summary>
    public bool TrustsEmail { get; init; }

    /// <summary>The claim that holds the groups; null: no groups are synced.</summary>
    public string? GroupsClaim { get; init; }

    /// <summary>Only groups whose name begins so count, and somebody in none of them may not sign in.</summary>
    public string? GroupPrefix { get; init; }

    /// <summary>The issuer's group whose members are admins.</summary>
    public string? AdminGroup { get; init; }

    /// <summary>Without the secret.</summary>
    public override string ToString() => $"{Issuer} client {ClientId}";

    internal static OidcOptions? Read(SignInOptions.SettingReader read)
    {
        var (issuer, id, secret) = (read.Text("OIDC_ISSUER"), read.Text("OIDC_CLIENT_ID"), read.Text("OIDC_CLIENT_SECRET"));
        if ((issuer ?? id ?? secret) is null) return null;
        if (issuer is null || id is null || secret is null)
        {
            read.Problem("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET belong together: sign-in with an OpenID Connect issuer stays closed.");
            return null;
        }

        if (read.Address("OIDC_ISSUER", issuer) is null) return null;
        var oidc = new OidcOptions { Issuer = issuer, ClientId = id, ClientSecret = secret };
        oidc = oidc with
        {
            Name = read.Text("OIDC_NAME") ?? oidc.Name,
            Scopes = read.Text("OIDC_SCOPES") ?? oidc.Scopes,
            EmailClaim = read.Text("OIDC_EMAIL_CLAIM") ?? oidc.EmailClaim,
            TrustsEmail = read.IsOn("OIDC_TRUST_EMAIL"),
            GroupsClaim = read.Text("OIDC_GROUPS_CLAIM"),
            GroupPrefix = read.Text("OIDC_GROUP_PREFIX"),
            AdminGroup = read.Text("OIDC_ADMIN_GROUP"),
        };
        if (!oidc.Scopes.Split(' ').Contains("openid", StringComparer.Ordinal)) read.Problem("OIDC_SCOPES must hold openid: sign-in with an OpenID Connect issuer stays closed.");
        else if ((oidc.GroupPrefix ?? oidc.AdminGroup) is not null && oidc.GroupsClaim is null) read.Problem("OIDC_GROUP_PREFIX and OIDC_ADMIN_GROUP need OIDC_GROUPS_CLAIM: sign-in with an OpenID Connect issuer stays closed.");
        else return oidc;
        return null;
    }
}
