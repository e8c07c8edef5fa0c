namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Links by mail.</summary>
internal static class MailServices
{
    public static void AddMail(this IServiceCollection services)
    {
        services.AddSingleton<Outbox>();
        services.AddSingleton<LinkMail>();
        services.AddHostedService(provider => provider.GetRequiredService<Outbox>());
    }
}
