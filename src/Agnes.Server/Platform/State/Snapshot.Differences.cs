using System.Collections.Immutable;

namespace Agnes.Server.Platform.State;

public sealed partial record Snapshot
{
    private const int DifferencesMax = 20;

    /// <summary>What differs from another snapshot, in words; indexes included. Slow: for checks.</summary>
    internal IReadOnlyList<string> Differences(Snapshot other)
    {
        var found = new List<string>();
        Compare(found, "user", UsersById, other.UsersById);
        Compare(found, "user by address", UsersByEmail, other.UsersByEmail);
        Compare(found, "group", GroupsById, other.GroupsById);
        Compare(found, "group by name", GroupsByName, other.GroupsByName);
        Compare(found, "grant", GrantsById, other.GrantsById);
        Compare(found, "token", TokensById, other.TokensById);
        Compare(found, "ended session", EndedSessions, other.EndedSessions);
        Compare(found, "table", TablesById, other.TablesById);
        Compare(found, "table by name", TablesByName, other.TablesByName);
        Compare(found, "connection", Connections, other.Connections);
        Compare(found, "sync state", SyncStates, other.SyncStates);
        Compare(found, "pull", Pulls, other.Pulls);
        Compare(found, "view owner", ViewOwners, other.ViewOwners);
        Compare(found, "schema drift", SchemaDrifts, other.SchemaDrifts);
        Compare(found, "tail", Tails, other.Tails, (a, b) => a.Row == b.Row);
        Compare(found, "membership", MembershipsByUser, other.MembershipsByUser, (a, b) => a.Rows.ToHashSet().SetEquals(b.Rows) && a.GroupIds.SetEquals(b.GroupIds));
        Compare(found, "members of", UsersByGroup, other.UsersByGroup, (a, b) => a.SetEquals(b));
        Compare(found, "resources of", ResourcesByGroup, other.ResourcesByGroup, (a, b) => a.Count == b.Count && a.All(type => b.TryGetValue(type.Key, out var same) && same.SetEquals(type.Value)));
        Compare(found, "grants on", GrantsByResource, other.GrantsByResource, (a, b) => a.Count == b.Count && a.All(b.Contains));
        Compare(found, "tokens of", TokensByUser, other.TokensByUser, (a, b) => a.SetEquals(b));
        Compare(found, "published", Published, other.Published, Same);
        Compare(found, "published by", PublishedBySource, other.PublishedBySource, (a, b) => a.SetEquals(b));
        Compare(found, "kept", Kept, other.Kept, (a, b) => a.ByNumber.Count == b.ByNumber.Count
            && a.ByNumber.All(version => b.ByNumber.TryGetValue(version.Key, out var same) && Same(version.Value, same)));
        return found;
    }

    private static bool Same(PublishedVersion a, PublishedVersion b) =>
        a with { Columns = b.Columns, Parts = b.Parts } == b && a.Columns.SequenceEqual(b.Columns) && a.Parts.SequenceEqual(b.Parts);

    private static void Compare<TKey, T>(
        List<string> found, string what, ImmutableDictionary<TKey, T> ours, ImmutableDictionary<TKey, T> theirs, Func<T, T, bool>? same = null)
        where TKey : notnull
    {
        same ??= EqualityComparer<T>.Default.Equals;
        foreach (var key in ours.Keys.Union(theirs.Keys))
        {
            if (found.Count >= DifferencesMax) return;
            if (!ours.TryGetValue(key, out var mine)) found.Add($"{what} {key} is only in the second");
            else if (!theirs.TryGetValue(key, out var other)) found.Add($"{what} {key} is only in the first");
            else if (!same(mine, other)) found.Add($"{what} {key} differs");
        }
    }
}
