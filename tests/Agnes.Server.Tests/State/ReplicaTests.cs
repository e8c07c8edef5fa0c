using System.Diagnostics;
using Agnes.Server.Platform.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

/// <summary>Several processes on one PostgreSQL; here, several states in one process.</summary>
public sealed class ReplicaTests(Postgres postgres)
{
    [Fact]
    public async Task A_write_is_known_to_the_others_within_a_second()
    {
        using var place = await StatePlace.NewAsync(StateEngine.Postgres, postgres);
        await using var one = await place.OpenAsync();
        await using var other = await place.OpenAsync();
        var seen = new TaskCompletionSource<Snapshot>();
        other.Changed += (_, after) => seen.TrySetResult(after);
        var user = await one.WriteAsync(write => write.AddUserAsync("ann@example.com"));
        var started = Stopwatch.StartNew();
        var after = await seen.Task.WaitAsync(TimeSpan.FromSeconds(5));
        after.User(user.Id).ShouldBe(user);
        started.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(3)));
        other.IsConfirmed.ShouldBeTrue();
    }

    [Fact]
    public async Task Decisions_see_what_others_wrote_and_all_end_with_the_same_snapshot()
    {
        using var place = await StatePlace.NewAsync(StateEngine.Postgres, postgres);
        await using var one = await place.OpenAsync();
        await using var two = await place.OpenAsync();
        await using var three = await place.OpenAsync();
        var won = await Task.WhenAll(Enumerable.Range(0, 90).Select(i => Task.Run(() => ((StateDb[])[one, two, three])[i % 3].WriteAsync(async write =>
        {
            var email = $"u{i / 3}@example.com";
            if (write.Before.UserByEmail(email) is not null) return false;
            await write.AddUserAsync(email);
            return true;
        }))));
        won.Count(one => one).ShouldBe(30);
        await Task.WhenAll(((StateDb[])[one, two, three]).Select(state => WaitAsync(() => state.Snapshot.UsersById.Count == 30)));
        one.Snapshot.Differences(two.Snapshot).ShouldBeEmpty();
        one.Snapshot.Differences(three.Snapshot).ShouldBeEmpty();
        one.Snapshot.Version.ShouldBe(three.Snapshot.Version);
    }

    [Fact]
    public async Task Two_that_start_at_once_migrate_once()
    {
        using var place = await StatePlace.NewAsync(StateEngine.Postgres, postgres);
        var states = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(place.OpenAsync)));
        states.ShouldAllBe(state => state.Snapshot.Version == 1 && state.Snapshot.GroupsById.Count == 2);
        foreach (var state in states) await state.DisposeAsync();
    }

    [Fact]
    public async Task One_that_is_cut_off_says_that_it_does_not_know_and_recovers()
    {
        await using var server = new Postgres();
        using var place = await StatePlace.NewAsync(StateEngine.Postgres, server, new FastTime());
        await using var state = await place.OpenAsync();
        state.IsConfirmed.ShouldBeTrue();
        await server.StopAsync();
        await WaitAsync(() => !state.IsConfirmed);
        var failure = await Should.ThrowAsync<StateUnavailableException>(() => state.WriteAsync(write => write.AddUserAsync("a@example.com")));
        failure.Reason.ShouldBe(StateFailure.Unreachable);
        state.Snapshot.GroupsById.Count.ShouldBe(2, "reads go on");
        await server.NewDatabaseAsync(); // starts it again
        await WaitAsync(() => state.IsConfirmed);
        await state.WriteAsync(write => write.AddUserAsync("a@example.com"));
        state.Failure.ShouldBeNull();
    }

    private static async Task WaitAsync(Func<bool> condition)
    {
        var limit = Stopwatch.StartNew();
        while (!condition())
        {
            limit.Elapsed.ShouldBeLessThan(MachineLoad.Allow(TimeSpan.FromSeconds(20)));
            await Task.Delay(20);
        }
    }

    /// <summary>Ten seconds pass in one.</summary>
    private sealed class FastTime : TimeProvider
    {
        public override long GetTimestamp() => base.GetTimestamp() * 10;
    }
}
