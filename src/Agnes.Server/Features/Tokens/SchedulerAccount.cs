using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tokens;

/// <summary>The account behind the scheduler's secret: made at the start when there is a secret, never signed in to otherwise.</summary>
internal static partial class SchedulerAccount
{
    private const string Name = "Scheduler";
    private const string AddedBy = "app.auth.scheduler_token:ensure_scheduler_user";

    public static async Task PrepareAsync(IServiceProvider services, CancellationToken stop)
    {
        var secret = services.GetRequiredService<ServiceSecret>();
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Agnes.Server.Tokens");
        if (secret.IsTooShort) LogTooShort(log, ServiceSecret.CharsMin);
        var state = services.GetRequiredService<StateDb>();
        if (!secret.IsOn || IsThere(state.Snapshot)) return;
        await state.WriteAsync(
            async write =>
            {
                if (IsThere(write.Before)) return;
                var user = write.Before.UserByEmail(ServiceSecret.Email) ?? await NewUser.AddAsync(write, ServiceSecret.Email, Name, passwordHash: null);
                await MembershipStore.AddAsync(write, user.Id, write.Current.GroupByName(Snapshot.AdminGroup)!.Id, Everyone.SeedSource, AddedBy);
                write.Audit(null, "user.create", $"user:{user.Id}", new JsonObject { ["email"] = ServiceSecret.Email, ["by"] = "SCHEDULER_API_TOKEN" });
            },
            stop);
    }

    private static bool IsThere(Snapshot snapshot) => snapshot.UserByEmail(ServiceSecret.Email) is { } user && snapshot.IsAdmin(user.Id);

    [LoggerMessage(EventId = 5501, Level = LogLevel.Warning, Message = "SCHEDULER_API_TOKEN has fewer than {CharsMin} characters and is not accepted: make one with 'openssl rand -hex 32'.")]
    private static partial void LogTooShort(ILogger log, int charsMin);
}
