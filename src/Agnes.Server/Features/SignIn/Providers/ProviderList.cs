using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Features.SignIn.Providers.EmailLink;
using Agnes.Server.Features.SignIn.Providers.Google;
using Agnes.Server.Features.SignIn.Providers.Oidc;
using Agnes.Server.Features.SignIn.Providers.OpenId;
using Agnes.Server.Features.SignIn.Providers.Password;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn.Providers;

/// <summary>The ways to sign in, one line each, in the order of their buttons.</summary>
internal static class ProviderList
{
    private static readonly Type[] All =
    [
        typeof(GoogleProvider),
        typeof(OidcProvider),
        typeof(PasswordProvider),
        typeof(EmailLinkProvider),
    ];

    public static void AddSignInProviders(this IServiceCollection services, ServerOptions options)
    {
        foreach (var provider in All) services.AddSingleton(typeof(ISignInProvider), provider);
        services.AddOpenId();
        services.AddGoogleGroups(options);
        services.AddMail(options);
    }

    public static void MapSignInProviders(this IEndpointRouteBuilder routes)
    {
        foreach (var provider in routes.ServiceProvider.GetServices<ISignInProvider>()) provider.Map(routes);
    }

    /// <summary>The path with the place to go on to.</summary>
    public static string WithNext(string path, string? next) => next is null ? path : $"{path}?next={Uri.EscapeDataString(next)}";
}
