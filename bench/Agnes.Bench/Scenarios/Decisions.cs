using System.Diagnostics;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Bench.Scenarios;

/// <summary>P7: may this person read that table? A thousand tables, a hundred users, twenty groups; the peer is a point select in SQLite.</summary>
internal static class Decisions
{
    private const int Users = 100;
    private const int Groups = 20;
    private const int Batch = 1000;
    private const int Batches = 200;

    public static async Task<IReadOnlyList<Measurement>> RunAsync()
    {
        var snapshot = Populated();
        var callers = Enumerable.Range(0, Users).Select(user => Caller.Of(snapshot, snapshot.User($"u{user}")!, CallerKind.Token)).ToArray();
        string[] tables = [.. Enumerable.Range(0, 1000).Select(table => $"t{table}")];
        List<double> samples = [];
        var allowed = 0;
        for (var batch = 0; batch < Batches; batch++)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < Batch; i++) allowed += Access.CanRead(snapshot, callers[i % Users], tables[i]) ? 1 : 0;
            samples.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / Batch);
        }

        if (allowed is 0 or Batch * Batches) throw new InvalidOperationException("The decision does not decide.");
        var peer = double.Parse(await Child.RunAsync("python3", [Peers.Script("decision.py")])) / 1000;
        var ours = Rounds.Median(samples);
        return [new Measurement("P7", "authorization decision", "µs", ours, peer, "≤ 2 µs at the median", ours <= 2)];
    }

    private static Snapshot Populated()
    {
        var snapshot = Snapshot.Empty;
        for (var group = 0; group < Groups; group++) snapshot = snapshot.WithGroup(new GroupRow { Id = $"g{group}", Name = $"Group {group}" });
        for (var user = 0; user < Users; user++)
        {
            snapshot = snapshot.WithUser(new UserRow { Id = $"u{user}", Email = $"u{user}@example.com" });
            for (var group = user % 4; group < Groups; group += 5) snapshot = snapshot.WithMembership(new MembershipRow { UserId = $"u{user}", GroupId = $"g{group}", Source = "admin" });
        }

        for (var table = 0; table < 1000; table++)
            snapshot = snapshot.WithGrant(new GrantRow { Id = $"r{table}", GroupId = $"g{table % Groups}", ResourceType = "table", ResourceId = $"t{table}" });
        return snapshot;
    }
}
