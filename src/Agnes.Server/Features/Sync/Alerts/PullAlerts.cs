using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Jobs;
using Agnes.Server.Platform.Publications;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sync.Alerts;

/// <summary>
/// Tells whoever looks after tables that these cannot be pulled, and that they can be again: at the first failure, at the third, then once a
/// day. All of one run is one alert to each.
/// </summary>
internal sealed class PullAlerts(StateDb state, Outgoing outgoing, IEnumerable<IOutlet> outlets, ServerOptions options, TimeProvider time)
{
    private const int Again = 3;
    private static readonly TimeSpan AgainAfter = TimeSpan.FromDays(1);

    /// <summary>Posts what there is to tell of a run that has ended.</summary>
    /// <param name="before">As it stood before the run.</param>
    /// <param name="rows">What it was to pull.</param>
    /// <param name="isScheduled">False: whoever asked for the run sees what failed in it.</param>
    public async Task TellAsync(JobContext job, Snapshot before, IReadOnlyList<TableRow> rows, bool isScheduled, CancellationToken cancellation)
    {
        if (!options.Alerts.IsOn || rows.Count == 0) return;
        var now = state.Snapshot;
        var failed = job.Steps.Where(step => step.Status == "failed").ToDictionary(step => step.Name, step => step.Error, StringComparer.OrdinalIgnoreCase);
        var failing = isScheduled ? rows.Where(row => failed.ContainsKey(row.Name) && IsToTell(now.Pulls.GetValueOrDefault(row.Name))).ToList() : [];
        var well = rows.Where(row => before.Pulls.GetValueOrDefault(row.Name)?.AlertedAt is not null && now.Pulls.GetValueOrDefault(row.Name) is { Failures: 0 }).ToList();
        if (failing.Count == 0 && well.Count == 0) return;
        var alert = new PullAlert(
            job.Job.Id,
            job.Job.Subject,
            time.GetUtcNow().UtcDateTime,
            [.. failing.Select(row => FailingTable.Of(row, now.Pulls[row.Name], failed[row.Name]))],
            [.. well.Select(row => new WorkingTable(row.Name, row.RegisteredBy))]);
        if (IsOpen(Letter.Channel))
        {
            foreach (var letter in Letters(now, alert)) await outgoing.PostAsync(Letter.Channel, letter.Write(), cancellation);
        }

        if (IsOpen(AlertWebhook.ChannelName)) await outgoing.PostAsync(AlertWebhook.ChannelName, alert.ToJson(options.ServerUrl), cancellation);

        // After: a process that ends in between tells twice, and not never.
        await state.WriteAsync(write => write.NoteAlertAsync(failing.Select(row => row.Name)), cancellation);
    }

    private bool IsToTell(TablePullRow? pull) =>
        pull is { Failures: > 0 } && (pull.AlertedAt is not { } told || pull.Failures == Again || time.GetUtcNow().UtcDateTime - told >= AgainAfter);

    private bool IsOpen(string channel) => outlets.Any(outlet => outlet.Channel == channel);

    private IEnumerable<Letter> Letters(Snapshot now, PullAlert alert)
    {
        var all = options.Alerts.To.ToHashSet(StringComparer.OrdinalIgnoreCase);
        foreach (var address in all) yield return alert.ToLetter(address, options.ServerUrl);
        if (!options.Alerts.ToOwners) yield break;
        var owners = alert.Failing.Select(table => table.Owner).Concat(alert.Working.Select(table => table.Owner)).OfType<string>();
        foreach (var owner in owners.Distinct(StringComparer.OrdinalIgnoreCase).Where(owner => !all.Contains(owner)))
        {
            // Names and errors are for admins: who is none any more is told nothing.
            if (now.UserByEmail(owner) is { Active: true } user && now.IsAdmin(user.Id)) yield return alert.Of(owner).ToLetter(owner, options.ServerUrl);
        }
    }
}
