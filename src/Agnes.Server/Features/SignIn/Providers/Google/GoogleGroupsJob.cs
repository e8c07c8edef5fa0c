using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Providers.Google;

/// <summary>Looks at the groups of everybody who signed in with Google lately, so that what the directory takes away does not wait for the next sign-in.</summary>
internal sealed class GoogleGroupsJob(StateDb state, GoogleGroups groups, ServerOptions options, TimeProvider time) : IJobHandler
{
    public const string KindName = "google-groups";

    /// <summary>At least nightly, whenever the server was started.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromHours(6);
    public static readonly TimeSpan AfterStart = TimeSpan.FromMinutes(10);
    /// <summary>A directory that is down is not asked for each of ten thousand people.</summary>
    private const int UnknownInARowMax = 5;
    private static readonly TimeSpan ActiveWithin = TimeSpan.FromDays(30);

    public string Kind => KindName;

    public Lane Lane => Lane.Network;

    public bool FillsDisk => false;

    public static JobRequest Request(string trigger) => new(KindName, null, KindName, trigger, null);

    public async Task<JobResult> RunAsync(JobContext job, CancellationToken cancellation)
    {
        if (GoogleGroups.Rules(options) is not { } rules || options.SignIn.Google is not { } google) return JobResult.Ok;
        var (asked, unknown, changed, inARow) = (0, 0, 0, 0);
        foreach (var id in await UsersAsync(google, rules, cancellation))
        {
            if (state.Snapshot.User(id) is not { Active: true } user) continue;
            if (inARow == UnknownInARowMax)
            {
                await job.LogAsync($"The directory did not answer for {inARow} people in a row: the others are looked at next time.", cancellation);
                break;
            }

            asked++;
            switch (await groups.FetchAsync(user.Email, cancellation))
            {
                case GroupAnswer.Known answer:
                    inARow = 0;
                    if (await WriteAsync(rules, id, answer.Names, cancellation)) changed++;
                    break;
                case GroupAnswer.NoSuchPerson: // left the organisation
                    inARow = 0;
                    if (await WriteAsync(rules, id, [], cancellation)) changed++;
                    break;
                default:
                    unknown++;
                    inARow++;
                    break;
            }
        }

        if (unknown > 0) await job.LogAsync($"The groups of {unknown} of {asked} people could not be looked at; their memberships stay as they are.", cancellation);
        var result = new JsonObject { ["people"] = asked, ["changed"] = changed, ["unknown"] = unknown }.ToJsonString();
        return new JobResult(unknown == 0 ? JobStatus.Ok : unknown < asked ? JobStatus.Partial : JobStatus.Failed, result, unknown > 0 && unknown == asked ? "The directory could not be asked." : null);
    }

    /// <summary>Those who signed in lately, and whoever still has something from there.</summary>
    private async Task<IReadOnlySet<string>> UsersAsync(GoogleOptions google, DirectoryGroups rules, CancellationToken cancellation)
    {
        var users = (await state.ReadAsync<string>(Identities.RecentSql, new { issuer = google.Issuer, since = time.Micros() - ActiveWithin }, cancellation)).ToHashSet(StringComparer.Ordinal);

        // Grows with the number of users: a job may.
        users.UnionWith(state.Snapshot.UsersById.Keys.Where(id => state.Snapshot.MembershipsOf(id).Any(row => row.Source == rules.Source)));
        return users;
    }

    private Task<bool> WriteAsync(DirectoryGroups rules, string userId, IReadOnlyList<string> names, CancellationToken cancellation) => state.WriteAsync(
        async write =>
        {
            if (write.Before.User(userId) is not { Active: true } user) return false;
            await rules.WriteAsync(write, user, names);
            return write.Current != write.Before;
        },
        cancellation);
}
