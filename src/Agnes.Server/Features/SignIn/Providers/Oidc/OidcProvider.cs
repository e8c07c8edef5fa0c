using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Providers.OpenId;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;

namespace Agnes.Server.Features.SignIn.Providers.Oidc;

/// <summary>Sign-in with an OpenID Connect issuer of the operator's choice, with the groups of a claim.</summary>
internal sealed class OidcProvider : ISignInProvider
{
    private const string Key = "oidc";
    private const int GroupsMax = 1_000;
    private readonly IssuerSignIn _signIn;
    private readonly IssuerProvider _provider;
    private readonly string _label;

    public OidcProvider(IssuerSignIn signIn, ServerOptions options)
    {
        _signIn = signIn;
        var oidc = options.SignIn.Oidc;
        _label = oidc?.Name ?? "";
        _provider = oidc is null ? new IssuerProvider(Key, null, "oidc_not_configured") : new IssuerProvider(Key, Client(oidc), "oidc_not_configured")
        {
            Name = oidc.Name,
            EmailClaim = oidc.EmailClaim,
            TrustsEmail = oidc.TrustsEmail,
            GroupsAsync = oidc.GroupsClaim is { } claim ? (_, claims, _) => Task.FromResult(GroupsOf(claims, claim)) : null,
            Groups = oidc.GroupsClaim is null ? null : new DirectoryGroups(GroupOrigins.IssuerSource, GroupOrigins.IssuerCreator, oidc.GroupPrefix, oidc.AdminGroup, EveryoneGroup: null, JoinsForeign: false),
        };
    }

    public ProviderButton? Button(string? next) => _provider.Client is null ? null : new(_label, ProviderList.WithNext($"/auth/{Key}/login", next)) { LeavesSite = true };

    public void Map(IEndpointRouteBuilder routes)
    {
        var open = routes.MapGroup($"/auth/{Key}").WithTags("Sign-in").Public();
        open.MapGet("/login", (Delegate)StartAsync).Produces(StatusCodes.Status302Found).Produces(StatusCodes.Status307TemporaryRedirect)
            .PerMinute(IssuerSignIn.PerMinuteMax).WithSummary("Go to the OpenID Connect issuer to sign in.");
        open.MapGet("/callback", (Delegate)FinishAsync).Produces(StatusCodes.Status302Found)
            .Produces(StatusCodes.Status307TemporaryRedirect).PerMinute(IssuerSignIn.PerMinuteMax)
            .WithSummary("Come back from the OpenID Connect issuer.");
    }

    // Handlers by their type: as RequestDelegates, which they could be too, their results would be dropped.
    private Task<IResult> StartAsync(HttpContext context) => _signIn.StartAsync(context, _provider);

    private Task<IResult> FinishAsync(HttpContext context) => _signIn.FinishAsync(context, _provider);

    private static OpenIdClient Client(OidcOptions oidc) => new(Key, oidc.Issuer, oidc.ClientId, oidc.ClientSecret, oidc.Scopes);

    /// <summary>
    /// A claim that is left out says "in none" as little as "in some" (issuers leave out what is too long): unknown. Only a list is an answer.
    /// </summary>
    private static GroupAnswer GroupsOf(JsonObject claims, string claim) => claims[claim] switch
    {
        JsonArray list => new GroupAnswer.Known([.. list.Take(GroupsMax).OfType<JsonValue>().Select(item => item.TryGetValue<string>(out var name) ? name : null).OfType<string>()]),
        JsonValue value when value.TryGetValue<string>(out var only) => new GroupAnswer.Known([only]),
        _ => new GroupAnswer.Unknown(),
    };
}
