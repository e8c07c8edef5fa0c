using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Publications;

/// <summary>What happens to a table's publications and sync state when its registration goes or changes its name.</summary>
internal static class TableMoves
{
    /// <summary>
    /// The table is gone at once, with its older versions: whoever registers the name next must not open them. Nobody but admins could fetch them any more
    /// anyway. A foreign extract goes on offering its table: that is published again, for admins only, by the next scan.
    /// </summary>
    public static async Task ForgetTableAsync(this StateWrite write, string name)
    {
        foreach (var version in write.Current.Kept.GetValueOrDefault(name)?.ByNumber.Values.ToList() ?? [])
        {
            await write.ExecuteAsync(PublicationSql.DeleteAllParts, new { name = version.Name });
            await write.ExecuteAsync(PublicationSql.DeleteAllVersions, new { name = version.Name });
            write.Apply(snapshot => snapshot.WithoutVersion(version.Name, version.Number));
        }
        await write.ExecuteAsync(PublicationSql.FreeName, new { name });
        await write.ExecuteAsync(PublicationSql.DeleteState, new { name });
        await write.ExecuteAsync(PublicationSql.DeleteHistory, new { name });
        await write.ForgetDriftAsync(name);
        await write.ForgetPullAsync(name);
        write.Apply(snapshot => snapshot.WithoutViewOwner(name).WithoutSyncState(name));
    }

    public static async Task RenameTableAsync(this StateWrite write, string before, string after)
    {
        var names = new { before, after };
        await write.ExecuteAsync(PublicationSql.RenameVersions, names);
        await write.ExecuteAsync(PublicationSql.RenameParts, names);
        await write.ExecuteAsync(PublicationSql.RenameState, names);
        await write.ExecuteAsync(PublicationSql.RenameHistory, names);
        await write.ExecuteAsync(PublicationSql.RenameOwner, names);
        await write.RenameDriftAsync(before, after);
        await write.RenamePullAsync(before, after);
        write.Apply(snapshot => Rename(snapshot, before, after));
    }

    private static Snapshot Rename(Snapshot snapshot, string before, string after)
    {
        var versions = snapshot.Kept.GetValueOrDefault(before)?.ByNumber.Values.ToList() ?? [];
        var state = snapshot.SyncStates.GetValueOrDefault(before);
        var owner = snapshot.ViewOwners.GetValueOrDefault(before);
        foreach (var version in versions) snapshot = snapshot.WithoutVersion(before, version.Number);
        snapshot = snapshot.WithoutSyncState(before).WithoutViewOwner(before);
        foreach (var version in versions) snapshot = snapshot.WithVersion(version with { Name = after });
        if (state is not null) snapshot = snapshot.WithSyncState(state with { TableId = after });
        if (owner is not null) snapshot = snapshot.WithViewOwner(owner with { ViewName = after });
        return snapshot;
    }
}
