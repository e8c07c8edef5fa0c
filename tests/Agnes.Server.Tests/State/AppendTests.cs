using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

public sealed class AppendTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task Appended_rows_are_written_together_and_leave_the_version_alone(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var audit = new AuditLog(state);
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(i => audit.AppendAsync("u", "query", $"t{i}").AsTask()));
        await state.FlushAsync();
        (await state.ReadAsync<long>("SELECT count(*) FROM audit_log")).ShouldBe([2000]);
        state.Snapshot.Version.ShouldBe(1);
    }

    [Theory, OnBothEngines]
    public async Task What_was_appended_is_written_when_the_server_stops(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using (var state = await place.OpenAsync())
        {
            for (var i = 0; i < 700; i++) await new AuditLog(state).AppendAsync("u", "query", $"t{i}");
        }
        await using (var state = await place.OpenAsync()) (await state.ReadAsync<long>("SELECT count(*) FROM audit_log")).ShouldBe([700]);
    }

    [Theory, OnBothEngines]
    public async Task Rows_of_different_statements_and_with_empty_values_keep_what_they_hold(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var time = new DateTime(2026, 1, 1, 12, 0, 0, DateTimeKind.Utc);
        const string History = "INSERT INTO sync_history (id, table_id, synced_at, rows, duration_ms, status, error) VALUES (@id, @table, @time, @rows, @ms, @status, @error)";
        const string Selected = "INSERT INTO sync_history (id, table_id, synced_at) SELECT @id, upper(@table), @time";
        for (var i = 0; i < 150; i++)
        {
            await state.AppendAsync(History, new { id = $"{i:D3}", table = "a", time = time.AddSeconds(i), rows = i % 3 == 0 ? (long?)null : i, ms = i % 2 == 0 ? (int?)null : i, status = (string?)null, error = i == 7 ? "it's" : null });
            if (i % 50 == 0) await state.AppendAsync(Selected, new { id = $"x{i}", table = "b", time });
        }
        await state.FlushAsync();
        (await state.ReadAsync<long>("SELECT count(*) FROM sync_history WHERE table_id = 'B'")).ShouldBe([3]);
        var rows = await state.ReadAsync<(string Id, DateTime At, long? Rows, int? Ms, string? Status, string? Error)>(
            "SELECT id, synced_at, rows, duration_ms, status, error FROM sync_history WHERE table_id = 'a' ORDER BY id");
        rows.Count.ShouldBe(150);
        rows[7].ShouldBe(("007", time.AddSeconds(7), 7, 7, null, "it's"));
        rows[6].ShouldBe(("006", time.AddSeconds(6), null, null, null, null));
    }

    [Fact]
    [Long]
    public async Task When_too_many_rows_wait_the_caller_is_told_and_nothing_is_dropped()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await StateDb.OpenAsync(place.Options with { CheckSnapshot = false });
        var audit = new AuditLog(state);
        var accepted = 0;
        await state.Gate.AloneAsync(async () =>
        {
            var failure = await Should.ThrowAsync<StateUnavailableException>(async () =>
            {
                for (; ; accepted++) await audit.AppendAsync($"u{accepted}", "query", "t"); // of one person alone, most would only be counted
            });
            failure.Reason.ShouldBe(StateFailure.Overloaded);
            return true;
        }, CancellationToken.None);
        accepted.ShouldBeInRange(Appends.QueueRowsMax, Appends.QueueRowsMax + Appends.BatchRowsMax);
        await state.FlushAsync();
        (await state.ReadAsync<long>("SELECT count(*) FROM audit_log")).ShouldBe([accepted]);
    }

    [Theory, OnBothEngines]
    public async Task A_row_that_the_engine_refuses_does_not_take_others_with_it(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        const string Sql = "INSERT INTO job_log (job_id, seq, ts, line) VALUES (@job, @seq, @ts, @line)";
        for (var seq = 0; seq < 10; seq++) await state.AppendAsync(Sql, new { job = "j", seq, ts = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), line = seq == 5 ? null : "line" });
        await state.FlushAsync();
        (await state.ReadAsync<long>("SELECT seq FROM job_log ORDER BY seq")).ShouldBe([0, 1, 2, 3, 4, 6, 7, 8, 9]);
    }

    [Theory, OnBothEngines]
    public async Task The_last_use_of_a_token_is_known_at_once_and_survives_a_restart(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        TokenRow token;
        TokenUse? last;
        await using (var state = await place.OpenAsync())
        {
            token = await state.WriteAsync(async write => await write.AddTokenAsync((await write.AddUserAsync("a@example.com")).Id));
            state.TokenUsed(token.Id, "10.0.0.1").ShouldBeNull();
            state.TokenUsed(token.Id, "10.0.0.2")!.Ip.ShouldBe("10.0.0.1");
            last = state.LastUse(token.Id);
        }
        await using (var state = await place.OpenAsync())
        {
            state.LastUse(token.Id).ShouldBe(last);
            state.Snapshot.Version.ShouldBe(2);
        }
    }

    [Theory, OnBothEngines]
    public async Task Pages_of_the_audit_log_stay_put_while_entries_are_added(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var audit = new AuditLog(state);
        for (var i = 0; i < 25; i++) await audit.AppendAsync(i % 2 == 0 ? "even" : "odd", i < 20 ? "query" : "user.create", $"t{i:D2}");
        await state.FlushAsync();

        var first = await audit.ReadAsync(new() { UserId = "even" }, limit: 5);
        first.Entries.Select(entry => entry.Resource).ShouldBe(["t24", "t22", "t20", "t18", "t16"]);
        await audit.AppendAsync("even", "query", "new");
        await state.FlushAsync();
        var second = await audit.ReadAsync(new() { UserId = "even" }, first.Next, limit: 5);
        second.Entries.Select(entry => entry.Resource).ShouldBe(["t14", "t12", "t10", "t08", "t06"]);
        var third = await audit.ReadAsync(new() { UserId = "even" }, second.Next, limit: 5);
        third.Entries.Count.ShouldBe(3);
        third.Next.ShouldBeNull();

        (await audit.ReadAsync(new() { Action = "user.*" })).Entries.Count.ShouldBe(5);
        (await audit.ReadAsync(new() { Resource = "t07" })).Entries.ShouldHaveSingleItem().UserId.ShouldBe("odd");
        (await audit.ReadAsync(new() { Since = first.Entries[0].Timestamp.AddHours(1) })).Entries.ShouldBeEmpty();
        await Should.ThrowAsync<FormatException>(() => audit.ReadAsync(new(), "nonsense"));
    }
}
