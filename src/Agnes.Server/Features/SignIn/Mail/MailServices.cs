using Agnes.Engine.Outbound;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Links and notices by mail, through whatever the operator set up.</summary>
internal static class MailServices
{
    public static void AddMail(this IServiceCollection services, ServerOptions options)
    {
        switch (options.SignIn.Mail)
        {
            case { SendGrid: { } sendGrid }:
                services.AddOperatorsClient(SendGrid.ClientName);
                services.AddSingleton<IMailTransport>(provider => new SendGrid(provider.GetRequiredService<IHttpClientFactory>(), sendGrid));
                break;
            case { Smtp: { } smtp }:
                services.AddSingleton<IMailTransport>(provider =>
                    new Smtp(smtp, provider.GetRequiredService<OutboundGuard>(), provider.GetRequiredService<TimeProvider>()));
                break;
        }

        if (options.SignIn.Mail is not null) services.AddSingleton<IOutlet, MailOutlet>();
        services.AddSingleton<Outbox>();
        services.AddSingleton<LinkMail>();
        services.AddSingleton<AccountNotices>();
        services.AddHostedService(provider => provider.GetRequiredService<Outbox>());
        services.AddHostedService(provider => provider.GetRequiredService<LinkMail>()); // after the outbox, so that it stops before
    }
}
