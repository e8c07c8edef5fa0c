using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>Before the first request: the admin that the environment names, and everybody in the group Everyone.</summary>
internal static partial class SeedAdmin
{
    private const string WeakSeed = "SEED_ADMIN_PASSWORD is one that others would guess: sign in, change it, and unset the variable.";

    public static async Task PrepareAsync(IServiceProvider services, CancellationToken stop)
    {
        var state = services.GetRequiredService<StateDb>();
        var options = services.GetRequiredService<ServerOptions>();
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Agnes.Server.SignIn");
        foreach (var problem in options.SignIn.Problems) LogProblem(log, problem);
        if (options.LocalDevelopment is { } local) await LocalDeveloper.PrepareAsync(state, local, services.GetRequiredService<LocalDoor>(), log, stop);
        if (options.SeedAdminEmail is { } email)
        {
            if (options.SeedAdminPassword is { } seed && services.GetRequiredService<PasswordRules>().Fault(seed, email, name: null) is not null) LogProblem(log, WeakSeed);
            try
            {
                await EnsureAsync(state, services.GetRequiredService<Passwords>(), email, options.SeedAdminPassword, stop);
            }
            catch (Exception failure) when (failure is not OperationCanceledException)
            {
                LogNotSeeded(log, failure);
            }
        }

        await Everyone.EnsureAsync(state, stop);
        var isClosed = await BootstrapWindow.IsClosedAsync(state, stop);
        var code = BootstrapWindow.KeepCode(options, isClosed, log);
        if (!isClosed && options.LocalDevelopment is null && !options.Demo) LogOpen(log, code ?? "AGNES_BOOTSTRAP_TOKEN");
    }

    internal static async Task EnsureAsync(StateDb state, Passwords passwords, string email, string? password, CancellationToken stop)
    {
        if (!EmailAddress.IsValid(email)) throw new OptionsException("SEED_ADMIN_EMAIL is no e-mail address.");
        var snapshot = state.Snapshot;
        var known = snapshot.UserByEmail(email);
        var needsPassword = password is not null && known?.PasswordHash is null;
        if (known is not null && snapshot.IsAdmin(known.Id) && !needsPassword) return;
        var hash = needsPassword ? await passwords.HashAsync(password!, stop) : null;
        await state.WriteAsync(
            async write =>
            {
                var user = write.Before.UserByEmail(email) ?? await NewUser.AddAsync(write, email, "Admin", hash);
                if (user.PasswordHash is null && hash is not null) await UserStore.SetPasswordAsync(write, user, hash);
                var admins = write.Current.GroupByName(Snapshot.AdminGroup)!;
                if (write.Current.GroupIdsOf(user.Id).Contains(admins.Id)) return;
                await MembershipStore.AddAsync(write, user.Id, admins.Id, Everyone.SeedSource, BootstrapWindow.SeedAddedBy);
                write.Audit(null, "user.create", $"user:{user.Id}", new JsonObject { ["email"] = email, ["by"] = "SEED_ADMIN_EMAIL" });
            },
            stop);
    }

    [LoggerMessage(EventId = 5401, Level = LogLevel.Error, Message = "The admin named by SEED_ADMIN_EMAIL could not be made.")]
    private static partial void LogNotSeeded(ILogger log, Exception failure);

    [LoggerMessage(EventId = 5402, Level = LogLevel.Warning, Message = "This server has no admin yet: make one with 'agnes setup bootstrap EMAIL' or on the page /first-time-setup, and the code in {Code}.")]
    private static partial void LogOpen(ILogger log, string code);

    [LoggerMessage(EventId = 5404, Level = LogLevel.Error, Message = "Sign-in settings: {Problem}")]
    private static partial void LogProblem(ILogger log, string problem);
}
