using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.State;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

public sealed class WriteTests(Postgres postgres)
{
    [Theory, OnBothEngines]
    public async Task A_new_state_has_the_two_system_groups(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var groups = state.Snapshot.GroupsById.Values.OrderBy(group => group.Name, StringComparer.Ordinal).ToList();
        groups.Select(group => group.Name).ShouldBe(["Admin", "Everyone"]);
        groups.ShouldAllBe(group => group.IsSystem && group.CreatedBy == "system:seed");
        state.Snapshot.Version.ShouldBe(1);
    }

    [Theory, OnBothEngines]
    public async Task A_write_is_in_the_snapshot_at_once_and_after_a_restart(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        UserRow user;
        Snapshot before, after;
        await using (var state = await place.OpenAsync())
        {
            before = state.Snapshot;
            user = await state.WriteAsync(write => write.AddUserAsync("ann@example.com"));
            after = state.Snapshot;
            after.User(user.Id).ShouldBe(user);
            after.UserByEmail("ANN@example.com").ShouldBe(user);
            after.Version.ShouldBe(before.Version + 1);
            after.AccessVersion.ShouldBe(after.Version);
            after.RegistryVersion.ShouldBe(before.RegistryVersion);
            before.User(user.Id).ShouldBeNull("a snapshot that was taken stays as it is");
        }
        await using (var state = await place.OpenAsync())
        {
            state.Snapshot.Differences(after).ShouldBeEmpty();
            state.Snapshot.Version.ShouldBe(after.Version);
        }
    }

    [Theory, OnBothEngines]
    public async Task Nothing_remains_of_a_write_that_throws(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var before = state.Snapshot;
        await Should.ThrowAsync<FormatException>(() => state.WriteAsync(async write =>
        {
            await write.AddUserAsync("ann@example.com");
            throw new FormatException();
        }));
        state.Snapshot.ShouldBeSameAs(before);
        (await state.ReadAsync<long>("SELECT count(*) FROM users")).ShouldBe([0]);
        (await state.ReadAsync<long>("SELECT count(*) FROM audit_log")).ShouldBe([0]);
        await state.WriteAsync(write => write.AddUserAsync("ann@example.com"));
    }

    [Theory, OnBothEngines]
    public async Task A_failing_statement_fails_its_own_write_only(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var writes = Enumerable.Range(0, 100).Select(i => Task.Run(() => state.WriteAsync(async write =>
        {
            await write.AddUserAsync($"u{i}@example.com");
            if (i % 10 == 0) await write.ExecuteAsync("INSERT INTO users (id, email, created_at) VALUES ('x', @email, @Now)", new { email = $"u{i}@example.com", write.Now });
        }))).ToList();
        await Should.ThrowAsync<Exception>(() => Task.WhenAll(writes));
        writes.Count(write => write.IsFaulted).ShouldBe(10);
        state.Snapshot.UsersById.Count.ShouldBe(90);
        (await state.ReadAsync<long>("SELECT count(*) FROM users")).ShouldBe([90]);
        (await state.ReadAsync<long>("SELECT count(*) FROM audit_log")).ShouldBe([90]);
    }

    [Theory, OnBothEngines]
    public async Task Decisions_inside_a_write_see_all_writes_before_it(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var won = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => state.WriteAsync(async write =>
        {
            if (write.Before.UserByEmail("only@example.com") is not null) return false;
            await write.AddUserAsync("only@example.com");
            return true;
        }))));
        won.Count(one => one).ShouldBe(1);
        (await state.ReadAsync<long>("SELECT count(*) FROM users")).ShouldBe([1]);
    }

    [Theory, OnBothEngines]
    public async Task A_refusal_without_a_statement_leaves_the_others_of_its_transaction_alone(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        var runs = 0;
        var writes = Enumerable.Range(0, 64).Select(i => Task.Run(() => state.WriteAsync(async write =>
        {
            Interlocked.Increment(ref runs);
            if (i % 2 == 0) throw new FormatException();
            await write.AddUserAsync($"u{i}@example.com");
        }))).ToList();
        await Should.ThrowAsync<FormatException>(() => Task.WhenAll(writes));
        state.Snapshot.UsersById.Count.ShouldBe(32);
        runs.ShouldBe(64);
    }

    [Theory, OnBothEngines]
    public async Task A_claim_has_one_winner_and_does_not_raise_the_version(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await state.WriteAsync(write => write.ExecuteAsync(
            "INSERT INTO jobs (id, kind, status, trigger, created_at) VALUES ('j', 'sync', 'queued', 'api', @Now)", new { write.Now }));
        var version = state.Snapshot.Version;
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => Task.Run(() => state.WriteAsync(write => write.QueryFirstAsync<string>(
            "UPDATE jobs SET status = 'running', owner = @owner WHERE id = 'j' AND status = 'queued' RETURNING owner", new { owner = $"o{i}" })))));
        claims.Count(owner => owner is not null).ShouldBe(1);
        state.Snapshot.Version.ShouldBe(version);
        (await state.ReadAsync<string>("SELECT owner FROM jobs")).ShouldBe([claims.Single(owner => owner is not null)!]);
    }

    [Theory, OnBothEngines]
    public async Task A_write_inside_a_write_is_refused_instead_of_waiting_for_itself(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await Should.ThrowAsync<InvalidOperationException>(() => state.WriteAsync(_ => state.WriteAsync(write => write.AddUserAsync("a@example.com"))));
    }

    [Theory, OnBothEngines]
    public async Task Two_tables_may_not_differ_in_case_only(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        static async Task Register(StateWrite write, string id, string name)
        {
            var table = new TableRow { Id = id, Name = name, RegisteredAt = write.Now };
            write.Apply(snapshot => snapshot.WithTable(table));
            await write.ExecuteAsync("INSERT INTO table_registry (id, name, registered_at) VALUES (@Id, @Name, @RegisteredAt)", table);
            await write.ExecuteAsync("UPDATE table_registry SET sync_strategy = 'full_refresh', query_mode = 'local', profile_after_sync = TRUE WHERE id = @Id", table);
        }
        await state.WriteAsync(write => Register(write, "orders", "Orders"));
        await Should.ThrowAsync<StateConflictException>(() => state.WriteAsync(write => Register(write, "orders2", "orders")));
        state.Snapshot.TableByName("ORDERS")!.Id.ShouldBe("orders");
    }

    [Theory, OnBothEngines]
    public async Task The_audit_row_is_written_with_the_change_and_without_secrets(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        await using var state = await place.OpenAsync();
        await state.WriteAsync(write =>
        {
            write.Audit("u1", "update_table", "orders", new() { ["password"] = "secret", ["smtp_password"] = " ", ["deep"] = new System.Text.Json.Nodes.JsonObject { ["API_TOKEN"] = "x" }, ["primary_key"] = "id" }, "ok", 12);
            return Task.CompletedTask;
        });
        var entry = (await new AuditLog(state).ReadAsync(new())).Entries.ShouldHaveSingleItem();
        entry.Params.ShouldBe("""{"password":"***","smtp_password":"\u003Cempty\u003E","deep":{"API_TOKEN":"***"},"primary_key":"id"}""");
        (entry.UserId, entry.Action, entry.Resource, entry.Result, entry.DurationMs).ShouldBe(("u1", "update_table", "orders", "ok", 12));
        entry.Timestamp.Kind.ShouldBe(DateTimeKind.Utc);
        state.Snapshot.Version.ShouldBe(2);
    }
}
