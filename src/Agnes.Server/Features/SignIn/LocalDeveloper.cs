using Agnes.Server.Features.SignIn.Providers;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>The one person of local development: an admin, in the groups that the environment names.</summary>
internal static partial class LocalDeveloper
{
    public static async Task PrepareAsync(StateDb state, LocalDevelopment local, LocalDoor door, ILogger log, CancellationToken stop)
    {
        LogBanner(log, local.Email, await door.ShowAsync());
        if (local.Problem is { } problem) LogProblem(log, problem);
        await state.WriteAsync(
            async write =>
            {
                var user = write.Before.UserByEmail(local.Email) ?? await NewUser.AddAsync(write, local.Email, "Developer", passwordHash: null);
                if (!user.Active) await UserStore.UpdateAsync(write, user with { Active = true });
                var admins = write.Current.GroupByName(Snapshot.AdminGroup)!;
                if (!write.Current.IsAdmin(user.Id)) await MembershipStore.AddAsync(write, user.Id, admins.Id, Everyone.SeedSource, BootstrapWindow.SeedAddedBy);
                var rules = new DirectoryGroups(GroupOrigins.GoogleSource, GroupOrigins.GoogleCreator, null, null, null, JoinsForeign: true);
                await rules.WriteAsync(write, write.Current.User(user.Id)!, [.. local.Groups.Select(group => group.Id)]);
            },
            stop);
    }

    [LoggerMessage(EventId = 5405, Level = LogLevel.Warning, Message = "LOCAL_DEV_MODE: whoever opens the address in {File} is {Email}, an admin, without signing in. Never in earnest.")]
    private static partial void LogBanner(ILogger log, string email, string file);

    [LoggerMessage(EventId = 5406, Level = LogLevel.Warning, Message = "{Problem}")]
    private static partial void LogProblem(ILogger log, string problem);
}
