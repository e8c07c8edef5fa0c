using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

internal static class SyncErrors
{
    private const int ErrorCharsMax = 2_000;

    /// <summary>Whether that is what stands.</summary>
    public static bool HasSyncError(this StateWrite write, string name, string error) =>
        write.Current.SyncStates.GetValueOrDefault(name) is { Status: "error" } known && known.Error == Shorten(error);

    public static async Task ClearSyncErrorAsync(this StateWrite write, string name)
    {
        if (write.Current.SyncStates.GetValueOrDefault(name) is not { Status: "error" } state) return;
        await SaveAsync(write, name, "ok", null);
        write.Apply(snapshot => snapshot.WithSyncState(state with { Status = "ok", Error = null }));
    }

    /// <summary>Notes why a table could not be brought up to date; what was published of it stays. Nothing is written when that is known already.</summary>
    public static async Task SaveSyncErrorAsync(this StateWrite write, string name, string error, bool inHistory = false)
    {
        var text = Shorten(error);
        var before = write.Current.SyncStates.GetValueOrDefault(name);
        if (inHistory)
        {
            await write.ExecuteAsync(
                PublicationSql.AddHistory,
                new { id = write.NewId(), name, now = write.Now, rows = (long?)null, durationMs = (int?)null, status = "error", error = text });
        }
        if (before is { Status: "error" } && before.Error == text) return;
        await SaveAsync(write, name, "error", text);
        write.Apply(snapshot => snapshot.WithSyncState((before ?? new SyncStateRow { TableId = name }) with { Status = "error", Error = text }));
    }

    private static string Shorten(string error) => error.Length > ErrorCharsMax ? error[..ErrorCharsMax] : error;

    private static async Task SaveAsync(StateWrite write, string name, string status, string? error)
    {
        if (await write.ExecuteAsync(PublicationSql.UpdateFailure, new { name, status, error }) == 0) await write.ExecuteAsync(PublicationSql.InsertFailure, new { name, status, error });
    }
}
