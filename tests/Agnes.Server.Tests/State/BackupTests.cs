using Agnes.Engine.Limits;
using Agnes.Protocol;
using Agnes.Server.Commands;
using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Maintenance;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.State;

public sealed class BackupTests(Postgres postgres)
{
    /// <summary>From each to the other; from each to its own kind is long.</summary>
    public static TheoryData<StateEngine, StateEngine> Ways => [..
        from source in Enum.GetValues<StateEngine>()
        from target in Enum.GetValues<StateEngine>()
        let way = new TheoryDataRow<StateEngine, StateEngine>(source, target)
        select source == target ? way.WithTrait("Runs", "long") : way];

    [Theory, MemberData(nameof(Ways))]
    public async Task A_backup_of_either_engine_restores_into_either(StateEngine source, StateEngine destination)
    {
        using var place = await StatePlace.NewAsync(source, postgres);
        using var target = await StatePlace.NewAsync(destination, postgres);
        Snapshot before;
        BackupReport report;
        await using (var state = await place.OpenAsync())
        {
            await FillAsync(state);
            before = state.Snapshot;
            report = await Backup.RunAsync(state, place.Folder["backups/"]);
        }
        report.Rows["users"].ShouldBe(3);
        report.Rows["audit_log"].ShouldBe(3);
        report.Rows["version_parts"].ShouldBe(2);

        var restored = await Restore.RunAsync(target.Options, report.Path, force: false);
        restored.Rows.ShouldBe(report.Rows);
        restored.Replaced.ShouldBeNull();
        await using (var state = await target.OpenAsync())
        {
            // No session and no mailed link outlives a restore; all else is as it was.
            var ended = state.Snapshot.UsersById.Values.Select(user => user.SessionsValidAfter).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
            before = before.UsersById.Values.Aggregate(before, (snapshot, user) => snapshot.WithUser(user with { SessionsValidAfter = ended }));
            state.Snapshot.Differences(before).ShouldBeEmpty();
            (await state.ReadAsync<long>("SELECT count(*) FROM auth_tokens"))[0].ShouldBe(0);
            restored.Revived.Tokens.Select(token => $"{token.Name} of {token.Owner}").ShouldBe(before.TokensById.Values.Select(token => $"{token.Name} of {before.User(token.UserId)!.Email}"), ignoreOrder: true);
            (await state.ReadAsync<string>("SELECT params FROM audit_log ORDER BY id LIMIT 1")).ShouldBe(["""{"email":"u0@example.com"}"""]);
            await state.WriteAsync(write => write.AddUserAsync("later@example.com"));
        }
        (await Verify.RunAsync(target.Options, hashes: false)).Problems.ShouldAllBe(problem => problem.Contains("is missing"));
    }

    [Theory, OnBothEngines]
    public async Task What_was_revoked_after_a_backup_stays_so_or_is_named(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        using var elsewhere = await StatePlace.NewAsync(engine, postgres);
        string backup;
        await using (var state = await place.OpenAsync())
        {
            foreach (var name in (string[])["kept", "lost"]) await state.WriteAsync(write => AddTokenAsync(write, name));
            backup = (await Backup.RunAsync(state, place.Folder["tokens.duckdb"])).Path;
            await state.WriteAsync(async write =>
            {
                var lost = write.Before.Token("lost")! with { RevokedAt = write.Now };
                await write.ExecuteAsync("UPDATE personal_access_tokens SET revoked_at = @RevokedAt WHERE id = @Id", lost);
                write.Apply(snapshot => snapshot.WithToken(lost));
            });
        }

        var known = (await Restore.RunAsync(place.Options, backup, force: true)).Revived;
        (known.AreRevoked, known.Tokens.Select(token => $"{token.Id} {token.Owner}").Single()).ShouldBe((true, "lost lost@example.com"));
        await using (var state = await place.OpenAsync())
        {
            (state.Snapshot.Token("kept")!.RevokedAt is null, state.Snapshot.Token("lost")!.RevokedAt is null).ShouldBe((true, false));
            (await state.ReadAsync<string>("SELECT action FROM audit_log ORDER BY timestamp DESC, id DESC LIMIT 1")).ShouldBe(["state.restore"]);
        }

        var unknown = (await Restore.RunAsync(elsewhere.Options, backup, force: false)).Revived;
        (unknown.AreRevoked, string.Join(' ', unknown.Tokens.Select(token => token.Id))).ShouldBe((false, "kept lost"));
    }

    [Fact]
    public async Task The_command_says_what_a_restore_ends_and_which_tokens_it_would_revive()
    {
        using var place = await StatePlace.EmbeddedAsync();
        using var elsewhere = new TemporaryFolder();
        var backup = place.Folder["b.duckdb"];
        await using (var state = await place.OpenAsync())
        {
            foreach (var name in (string[])["kept", "lost"]) await state.WriteAsync(write => AddTokenAsync(write, name));
            await Backup.RunAsync(state, backup);
            await state.WriteAsync(async write =>
            {
                var lost = write.Before.Token("lost")! with { RevokedAt = write.Now };
                await write.ExecuteAsync("UPDATE personal_access_tokens SET revoked_at = @RevokedAt WHERE id = @Id", lost);
                write.Apply(snapshot => snapshot.WithToken(lost));
            });
        }

        async Task<(int Code, string Output)> RestoreAsync(string dataDir, params string[] more)
        {
            var output = new StringWriter();
            return (await StateCommands.RunAsync("restore", ["--data-dir", dataDir, "--from", backup, .. more], _ => null, output, CancellationToken.None), output.ToString());
        }

        (await RestoreAsync(place.Folder.Path)).Code.ShouldBe(1, "a state is there");
        var over = await RestoreAsync(place.Folder.Path, "--force");
        over.Code.ShouldBe(0, over.Output);
        over.Output.ShouldContain("All sessions and mailed links are ended");
        over.Output.ShouldContain("they stay revoked:");
        (over.Output.Contains("  lost  lost@example.com  lost", StringComparison.Ordinal), over.Output.Contains("  kept", StringComparison.Ordinal)).ShouldBe((true, false), over.Output);
        var fresh = await RestoreAsync(elsewhere.Path);
        fresh.Output.ShouldContain("revoke it: agnes admin token revoke ID");
        (fresh.Output.Contains("  lost  ", StringComparison.Ordinal), fresh.Output.Contains("  kept  ", StringComparison.Ordinal)).ShouldBe((true, true), fresh.Output);
        await using var restored = await StateDb.OpenAsync(new StateOptions { DataDir = elsewhere.Path, StateDir = elsewhere["state"] });
        restored.Snapshot.UsersById.Values.ShouldAllBe(user => user.SessionsValidAfter != null);
    }

    private static async Task AddTokenAsync(StateWrite write, string name)
    {
        var user = new UserRow { Id = $"u-{name}", Email = $"{name}@example.com", CreatedAt = write.Now };
        await write.ExecuteAsync("INSERT INTO users (id, email, active, created_at, onboarded) VALUES (@Id, @Email, TRUE, @CreatedAt, FALSE)", user);
        var token = new TokenRow { Id = name, UserId = user.Id, Name = name, TokenHash = name, Prefix = name, CreatedAt = write.Now };
        await write.ExecuteAsync("INSERT INTO personal_access_tokens (id, user_id, name, token_hash, prefix, created_at) VALUES (@Id, @UserId, @Name, @TokenHash, @Prefix, @CreatedAt)", token);
        write.Apply(snapshot => snapshot.WithUser(user).WithToken(token));
    }

    [Theory, OnBothEngines]
    public async Task A_state_is_replaced_only_by_force_and_kept_aside(StateEngine engine)
    {
        using var place = await StatePlace.NewAsync(engine, postgres);
        string backup;
        await using (var state = await place.OpenAsync())
        {
            await state.WriteAsync(write => write.AddUserAsync("old@example.com"));
            backup = (await Backup.RunAsync(state, place.Folder["one.duckdb"])).Path;
            await state.WriteAsync(write => write.AddUserAsync("new@example.com"));
        }
        (await Should.ThrowAsync<BackupException>(() => Restore.RunAsync(place.Options, backup, force: false))).Message.ShouldContain("--force");
        var report = await Restore.RunAsync(place.Options, backup, force: true);
        await using (var state = await place.OpenAsync()) state.Snapshot.UsersById.Values.Select(user => user.Email).ShouldBe(["old@example.com"]);
        report.Replaced.ShouldNotBeNull();

        // What was kept is whole: it can be put back.
        var kept = engine == StateEngine.Postgres ? report.Replaced : Path.Combine(report.Replaced, "system.duckdb");
        await using var connection = new DuckDBConnection($"Data Source={kept};access_mode=READ_ONLY");
        await connection.OpenAsync();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM users";
        (await command.ExecuteScalarAsync()).ShouldBe(2L);
    }

    [Fact]
    public async Task A_running_server_keeps_restore_and_verify_out()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await place.OpenAsync();
        var backup = await Backup.RunAsync(state, place.Folder["b.duckdb"]);
        (await Should.ThrowAsync<StateRefusedException>(() => Restore.RunAsync(place.Options, backup.Path, force: true))).Message.ShouldContain("in use");
        await Should.ThrowAsync<StateRefusedException>(() => Verify.RunAsync(place.Options, hashes: false));
    }

    [Fact]
    [Long]
    public async Task A_backup_beside_writers_is_of_one_moment()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await StateDb.OpenAsync(place.Options with { CheckSnapshot = false });
        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, 4).Select(w => Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++) await state.WriteAsync(write => write.AddUserAsync($"u{w}-{i}@example.com"));
        })).ToList();
        for (var i = 0; i < 5; i++)
        {
            var report = await Backup.RunAsync(state, place.Folder[$"b{i}.duckdb"]);
            report.Rows["audit_log"].ShouldBe(report.Rows["users"], "each user was written with an audit row");
        }
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Directory.GetFiles(place.Folder.Path, ".*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_damaged_or_foreign_file_is_not_restored()
    {
        using var place = await StatePlace.EmbeddedAsync();
        var nonsense = place.Folder["nonsense.duckdb"];
        await File.WriteAllTextAsync(nonsense, "nonsense");
        await Should.ThrowAsync<BackupException>(() => Restore.RunAsync(place.Options, nonsense, force: false));
        await using (var foreign = new DuckDBConnection($"Data Source={place.Folder["foreign.duckdb"]}"))
        {
            await foreign.OpenAsync();
            foreign.ExecuteUnprepared("CREATE TABLE t (a INTEGER)");
        }
        (await Should.ThrowAsync<BackupException>(() => Restore.RunAsync(place.Options, place.Folder["foreign.duckdb"], force: false))).Message.ShouldContain("not a backup");

        await using (var state = await place.OpenAsync())
        {
            await FillAsync(state);
            await Backup.RunAsync(state, place.Folder["b.duckdb"]);
        }
        await using (var changed = new DuckDBConnection($"Data Source={place.Folder["b.duckdb"]}"))
        {
            await changed.OpenAsync();
            changed.ExecuteUnprepared("DELETE FROM users WHERE email = 'u1@example.com'");
        }
        (await Should.ThrowAsync<BackupException>(() => Restore.RunAsync(place.Options, place.Folder["b.duckdb"], force: true))).Message.ShouldContain("users has 2 of 3 rows");
        await using (var state = await place.OpenAsync()) state.Snapshot.UsersById.Count.ShouldBe(3, "nothing was changed");
    }

    [Fact]
    public async Task A_verified_backup_ends_the_need_for_copies_of_earlier_starts()
    {
        using var crashed = await StatePlace.CrashedAsync(commits: 3);
        await using var state = await crashed.OpenAsync();
        var recovery = Path.Combine(crashed.Options.StateDir, "recovery");
        Directory.Exists(recovery).ShouldBeTrue();
        await Backup.RunAsync(state, crashed.Folder["b.duckdb"]);
        Directory.Exists(recovery).ShouldBeFalse();
        (await Should.ThrowAsync<BackupException>(() => Backup.RunAsync(state, crashed.Folder["b.duckdb"]))).Message.ShouldContain("exists already");
    }

    internal static async Task FillAsync(StateDb state)
    {
        for (var i = 0; i < 3; i++)
        {
            await state.WriteAsync(async write =>
            {
                var user = await write.AddUserAsync($"u{i}@example.com");
                var group = await write.AddGroupAsync($"g{i}");
                await write.AddMemberAsync(user.Id, group.Id);
                await write.AddMemberAsync(user.Id, group.Id, "google_sync");
                await write.GrantAsync(group.Id, "table", $"t{i}");
                await write.AddTokenAsync(user.Id);
            });
        }
        await state.WriteAsync(write => write.PublishAsync(Version("orders", 1, new string('a', 64), new string('b', 64))));
    }

    internal static PublishedVersion Version(string name, long number, params string[] hashes)
    {
        IReadOnlyList<TablePart> parts = [.. hashes.Select((hash, i) => new TablePart($"{i}.parquet", hash, 100 + i, 10))];
        return new()
        {
            Name = name,
            Number = number,
            Source = "files",
            Columns = [new("id", "BIGINT", Nullable: false), new("name", "VARCHAR")],
            Rows = parts.Sum(part => part.Rows),
            Bytes = parts.Sum(part => part.SizeBytes),
            Parts = parts,
            PartsDigest = PartsList.Digest(parts),
            ExtractedAt = new(2026, 1, 1, 10, 0, 0, DateTimeKind.Utc),
            PublishedAt = new(2026, 1, 1, 10, 0, 1, DateTimeKind.Utc),
        };
    }
}
