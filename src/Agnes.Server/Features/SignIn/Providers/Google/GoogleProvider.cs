using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Providers.OpenId;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn.Providers.Google;

/// <summary>Sign-in with Google, limited to the organisation's domains, with the groups of its Workspace.</summary>
internal sealed class GoogleProvider : ISignInProvider
{
    private const string Key = "google";
    private readonly IssuerSignIn _signIn;
    private readonly ServerOptions _options;
    private readonly IssuerProvider _provider;

    public GoogleProvider(IssuerSignIn signIn, ServerOptions options, GoogleGroups groups)
    {
        (_signIn, _options) = (signIn, options);
        var google = options.SignIn.Google;
        _provider = new IssuerProvider(Key, google is null ? null : Client(google), "google_not_configured")
        {
            Check = CheckHostedDomain,
            GroupsAsync = (account, _, stop) => groups.FetchAsync(account.Email, stop),
            Groups = GoogleGroups.Rules(options),
            Parameters = options.SignIn is { AllowAnyDomain: false, AllowedDomains: [var only] } ? [("hd", only)] : [],
        };
    }

    public ProviderButton? Button(string? next) => _provider.Client is null ? null : new("Google", ProviderList.WithNext($"/auth/{Key}/login", next)) { LeavesSite = true };

    public void Map(IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup($"/auth/{Key}").WithTags("Sign-in").Public();
        open.MapGet("/login", (Delegate)StartAsync).Produces(StatusCodes.Status302Found).Produces(StatusCodes.Status307TemporaryRedirect)
            .PerMinute(IssuerSignIn.PerMinuteMax).WithSummary("Go to Google to sign in.");
        open.MapGet("/callback", (Delegate)FinishAsync).Produces(StatusCodes.Status302Found)
            .Produces(StatusCodes.Status307TemporaryRedirect).PerMinute(IssuerSignIn.PerMinuteMax).WithSummary("Come back from Google.");
    }

    // Handlers by their type: as RequestDelegates, which they could be too, their results would be dropped.
    private Task<IResult> StartAsync(HttpContext context) => _signIn.StartAsync(context, _provider);

    private Task<IResult> FinishAsync(HttpContext context) => _signIn.FinishAsync(context, _provider);

    private static OpenIdClient Client(GoogleOptions google) => new(Key, google.Issuer, google.ClientId, google.ClientSecret, "openid email profile")
    {
        OtherIssuers = ["accounts.google.com"],
    };

    /// <summary>A private Google account can be made for any address; <c>hd</c> says that the organisation manages it.</summary>
    private void CheckHostedDomain(JsonObject claims)
    {
        if (_options.SignIn.AllowAnyDomain) return;
        if (IdTokens.Text(claims, "hd") is not { } domain || !_options.SignIn.IsAllowedDomain(domain))
        {
            throw new SignInRefusedException("domain_not_allowed", "The account is not managed by an allowed domain.");
        }
    }
}
