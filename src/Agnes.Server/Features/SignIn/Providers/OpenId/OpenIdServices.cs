using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>What sign-in through an issuer needs, whoever the issuer is.</summary>
internal static class OpenIdServices
{
    public static void AddOpenId(this IServiceCollection services)
    {
        services.AddOperatorsClient(IssuerHttp.ClientName, client =>
        {
            client.Timeout = IssuerHttp.TimeMax;
            client.MaxResponseContentBufferSize = IssuerHttp.AnswerBytesMax;
        });
        services.AddSingleton<IssuerHttp>();
        services.AddSingleton<IssuerDocuments>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton<OpenIdFlow>();
        services.AddSingleton<IssuerSignIn>();
    }
}
