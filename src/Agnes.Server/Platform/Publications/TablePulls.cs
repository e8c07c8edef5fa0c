using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>Notes how the pulling of tables goes: what decides when a schedule has them pulled next.</summary>
internal static class TablePulls
{
    private const string Insert =
        """
        INSERT INTO table_pulls (table_name, pulled_at, failures, failed_at, retry_at, alerted_at)
        VALUES (@TableName, @PulledAt, @Failures, @FailedAt, @RetryAt, @AlertedAt)
        """;

    private const string Update =
        """
        UPDATE table_pulls SET pulled_at = @PulledAt, failures = @Failures, failed_at = @FailedAt, retry_at = @RetryAt, alerted_at = @AlertedAt
        WHERE table_name = @TableName
        """;

    private const string Delete = "DELETE FROM table_pulls WHERE table_name = @TableName";

    /// <summary>A good end, which ends whatever was noted of failures.</summary>
    /// <param name="pulled">Names, and the time that each was pulled for.</param>
    public static async Task NotePulledAsync(this StateWrite write, IReadOnlyList<(string Table, DateTime For)> pulled)
    {
        var added = new List<object>();
        foreach (var (table, at) in pulled)
        {
            var known = write.Current.Pulls.GetValueOrDefault(table);
            var row = new TablePullRow { TableName = known?.TableName ?? table, PulledAt = at };
            if (row == known) continue;
            if (known is null) added.Add(row);
            else await write.ExecuteAsync(Update, row);
            write.Apply(snapshot => snapshot.WithPull(row));
        }

        await write.InsertAsync(Insert, added);
    }

    /// <param name="isScheduled">False: somebody asked for it, so it says nothing of how soon a schedule may try again, but the first time.</param>
    public static Task NoteFailureAsync(this StateWrite write, string table, bool isScheduled)
    {
        var known = write.Current.Pulls.GetValueOrDefault(table);
        var row = (known ?? new TablePullRow { TableName = table }) with { FailedAt = write.Now };
        if (isScheduled || row.Failures == 0)
        {
            var failures = row.Failures + 1;
            var wait = PullRetry.After(table, failures, write.Current.TableByName(table)?.SyncSchedule);
            row = row with { Failures = failures, RetryAt = UtcTime.Cut(write.Now + wait) };
        }

        return SaveAsync(write, known, row);
    }

    /// <summary>Whoever looks after them was told that they fail.</summary>
    public static async Task NoteAlertAsync(this StateWrite write, IEnumerable<string> tables)
    {
        foreach (var known in tables.Select(write.Current.Pulls.GetValueOrDefault).OfType<TablePullRow>())
        {
            if (known.Failures > 0) await SaveAsync(write, known, known with { AlertedAt = write.Now });
        }
    }

    /// <summary>It was set differently: what was wrong may be mended.</summary>
    public static Task RetryNowAsync(this StateWrite write, string table) =>
        write.Current.Pulls.GetValueOrDefault(table) is { RetryAt: not null } known ? SaveAsync(write, known, known with { RetryAt = null }) : Task.CompletedTask;

    /// <summary>The same of whatever is put off and may have failed for what is mended now: of the failing tables those that are meant.</summary>
    public static async Task RetryNowAsync(this StateWrite write, Func<TableRow, bool> isMeant)
    {
        foreach (var table in write.Current.Pulls.Values.Where(pull => pull.RetryAt is not null).Select(pull => pull.TableName).ToList())
        {
            if (write.Current.TableByName(table) is { } row && isMeant(row)) await write.RetryNowAsync(table);
        }
    }

    public static async Task ForgetPullAsync(this StateWrite write, string table)
    {
        if (write.Current.Pulls.GetValueOrDefault(table) is not { } known) return;
        await write.ExecuteAsync(Delete, known);
        write.Apply(snapshot => snapshot.WithoutPull(table));
    }

    public static async Task RenamePullAsync(this StateWrite write, string before, string after)
    {
        if (write.Current.Pulls.GetValueOrDefault(before) is not { } known) return;
        await write.ForgetPullAsync(before);
        await SaveAsync(write, write.Current.Pulls.GetValueOrDefault(after), known with { TableName = after });
    }

    private static async Task SaveAsync(StateWrite write, TablePullRow? known, TablePullRow row)
    {
        if (row == known) return;
        await write.ExecuteAsync(known is null ? Insert : Update, row);
        write.Apply(snapshot => snapshot.WithPull(row));
    }
}
