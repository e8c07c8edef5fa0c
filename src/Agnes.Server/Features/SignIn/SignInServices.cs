using Agnes.Server.Features.SignIn.Guessing;
using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>What signing in needs, whichever way.</summary>
internal static class SignInServices
{
    public static void AddSignIn(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton(new PasswordRules(options)); // here, so that a list that cannot be read is found at the start
        services.AddSingleton<Guesses>();
        services.AddSingleton<PasswordCheck>();
        services.AddSingleton<NewPasswords>();
        services.AddSingleton<SessionBegin>();
        services.AddSingleton<LocalDoor>();
        services.AddSingleton<IBelonging, SignInBelonging>();
        services.AddSingleton<SessionSweep>();
        if (options.Role.RunsJobs()) services.AddSingleton<IPeriodic>(provider => provider.GetRequiredService<SessionSweep>());
        services.AddSignInProviders(options);
    }
}
