namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>What sign-in through an issuer needs, whoever the issuer is.</summary>
internal static class OpenIdServices
{
    private static readonly TimeSpan ConnectionsKeptFor = TimeSpan.FromMinutes(5);

    public static void AddOpenId(this IServiceCollection services)
    {
        services.AddHttpClient(IssuerHttp.ClientName, client =>
        {
            client.Timeout = IssuerHttp.TimeMax;
            client.MaxResponseContentBufferSize = IssuerHttp.AnswerBytesMax;
        }).ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = ConnectionsKeptFor });
        services.AddSingleton<IssuerHttp>();
        services.AddSingleton<IssuerDocuments>();
        services.AddSingleton<IdTokens>();
        services.AddSingleton<OpenIdFlow>();
        services.AddSingleton<IssuerSignIn>();
    }
}
