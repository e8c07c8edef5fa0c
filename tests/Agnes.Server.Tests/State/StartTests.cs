using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Engines;
using Agnes.Testing;
using DuckDB.NET.Data;

namespace Agnes.Server.Tests.State;

/// <summary>What an embedded state does at its start with what it finds. Nothing is rolled back silently, nothing is read as empty.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_second_process_is_kept_out_and_told_why()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await place.OpenAsync();
        (await RefusalAsync(place)).ShouldContain("in use by another agnes-server");
    }

    [Fact]
    public async Task A_deleted_file_is_not_taken_for_a_new_state()
    {
        using var place = await StatePlace.WithUserAsync();
        File.Delete(place.Main);
        var message = await RefusalAsync(place);
        message.ShouldContain("system.duckdb is missing");
        message.ShouldContain("agnes-server restore --from FILE");
        File.Exists(place.Main).ShouldBeFalse();
    }

    [Fact]
    public async Task A_state_that_was_being_made_when_the_process_was_killed_is_made_anew()
    {
        using var place = await StatePlace.EmbeddedAsync();
        Directory.CreateDirectory(place.Options.StateDir);
        foreach (var left in (string[])["", ".wal"]) await File.WriteAllTextAsync(Path.Combine(place.Options.StateDir, StateFiles.DraftName + left), "half a file");
        await using (var state = await place.OpenAsync()) state.Snapshot.GroupsById.Count.ShouldBe(2);
        Directory.GetFiles(place.Options.StateDir, $"{StateFiles.DraftName}*").ShouldBeEmpty();
    }

    [Fact]
    public async Task A_log_without_its_file_is_refused()
    {
        using var place = await StatePlace.EmbeddedAsync();
        Directory.CreateDirectory(place.Options.StateDir);
        await File.WriteAllTextAsync($"{place.Main}.wal", "x");
        (await RefusalAsync(place)).ShouldContain("system.duckdb.wal is there");
    }

    [Fact]
    public async Task Commits_that_were_cut_off_the_log_are_missed()
    {
        using var crashed = await StatePlace.CrashedAsync(commits: 20);
        using (var log = File.OpenWrite($"{crashed.Main}.wal")) log.SetLength(log.Length / 2);
        var message = await RefusalAsync(crashed);
        message.ShouldContain("Commits are missing");
        message.ShouldContain("agnes-server restore --from FILE");
        Directory.GetFiles(Path.Combine(crashed.Options.StateDir, StateFiles.RecoveryName), "*", SearchOption.AllDirectories).Select(Path.GetFileName).ShouldContain("system.duckdb.wal");
    }

    [Fact]
    public async Task A_deleted_log_is_missed_until_the_loss_is_accepted()
    {
        using var crashed = await StatePlace.CrashedAsync(commits: 20);
        File.Delete($"{crashed.Main}.wal");
        (await RefusalAsync(crashed)).ShouldContain("Commits are missing");
        File.Delete(Path.Combine(crashed.Options.StateDir, CommitMark.FileName));
        await using var state = await crashed.OpenAsync();
        state.Snapshot.UsersById.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_damaged_log_is_refused_with_the_text_of_the_engine()
    {
        using var crashed = await StatePlace.CrashedAsync(commits: 20);
        var log = await File.ReadAllBytesAsync($"{crashed.Main}.wal");
        log[log.Length / 2] ^= 0x10;
        await File.WriteAllBytesAsync($"{crashed.Main}.wal", log);
        var message = await RefusalAsync(crashed);
        // A flip in a size field ends the log silently; the mark tells. Everything else the engine finds.
        (message.Contains("Commits are missing") || message.Contains("Failure while replaying WAL")).ShouldBeTrue(message);
    }

    [Fact]
    public async Task A_log_is_copied_before_it_is_replayed_and_all_commits_are_there()
    {
        using var crashed = await StatePlace.CrashedAsync(commits: 20);
        await using (var state = await crashed.OpenAsync()) state.Snapshot.UsersById.Count.ShouldBe(20);
        var copies = Directory.GetDirectories(Path.Combine(crashed.Options.StateDir, StateFiles.RecoveryName)).ShouldHaveSingleItem();
        Directory.GetFiles(copies).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["system.duckdb", "system.duckdb.wal"]);
    }

    [Fact]
    public async Task The_state_of_another_program_is_refused_and_stays_as_it_is()
    {
        using var place = await StatePlace.EmbeddedAsync();
        Directory.CreateDirectory(place.Options.StateDir);
        await using (var foreign = new DuckDBConnection($"Data Source={place.Main}"))
        {
            await foreign.OpenAsync();
            foreign.ExecuteUnprepared("CREATE TABLE schema_version (version INTEGER NOT NULL); INSERT INTO schema_version VALUES (40); CREATE TABLE users (id VARCHAR)");
        }
        var before = await File.ReadAllBytesAsync(place.Main);
        (await RefusalAsync(place)).ShouldContain("agnes-server import --from");
        (await File.ReadAllBytesAsync(place.Main)).ShouldBe(before);
        Directory.GetFiles(place.Options.StateDir).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["state.lock", "system.duckdb"]);
    }

    [Fact]
    public async Task A_foreign_state_that_was_killed_keeps_its_log_untouched()
    {
        using var place = await StatePlace.EmbeddedAsync();
        Directory.CreateDirectory(place.Options.StateDir);
        var live = place.Folder["live.duckdb"];
        await using (var foreign = new DuckDBConnection($"Data Source={live}"))
        {
            await foreign.OpenAsync();
            foreign.ExecuteUnprepared("CREATE TABLE schema_version (version INTEGER NOT NULL); CHECKPOINT; INSERT INTO schema_version VALUES (40)");
            await StatePlace.CopyAsync(live, place.Main);
            await StatePlace.CopyAsync($"{live}.wal", $"{place.Main}.wal");
        }
        byte[][] before = [await File.ReadAllBytesAsync(place.Main), await File.ReadAllBytesAsync($"{place.Main}.wal")];
        (await RefusalAsync(place)).ShouldContain("agnes-server import --from");
        (await File.ReadAllBytesAsync(place.Main)).ShouldBe(before[0]);
        (await File.ReadAllBytesAsync($"{place.Main}.wal")).ShouldBe(before[1]);
    }

    [Fact]
    [Long]
    public async Task A_damaged_block_is_found_at_the_start()
    {
        using var place = await StatePlace.WithUserAsync(users: 2000);
        await using (var file = new FileStream(place.Main, FileMode.Open, FileAccess.ReadWrite))
        {
            // Everything behind the headers.
            var rest = new byte[file.Length - 12288];
            file.Position = 12288;
            await file.ReadExactlyAsync(rest);
            for (var at = 4096; at < rest.Length; at += 8192) rest[at] ^= 0xff;
            file.Position = 12288;
            await file.WriteAsync(rest);
        }
        (await RefusalAsync(place)).ShouldContain("agnes-server restore --from FILE");
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        using var place = await StatePlace.WithUserAsync();
        await File.WriteAllTextAsync(place.Main, "not a database, but long enough to have a header or two in it");
        (await RefusalAsync(place)).ShouldContain("cannot be opened");
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_named_with_a_command()
    {
        using var place = await StatePlace.EmbeddedAsync();
        var inTheWay = place.Folder["file"];
        await File.WriteAllTextAsync(inTheWay, "");
        var options = place.Options with { StateDir = Path.Combine(inTheWay, "state") };
        var refusal = await Should.ThrowAsync<StateRefusedException>(() => StateDb.OpenAsync(options));
        refusal.Message.ShouldContain(options.StateDir);
        refusal.Message.ShouldContain("ls -ld");
    }

    [Fact]
    public async Task A_state_of_a_newer_version_is_refused()
    {
        using var place = await StatePlace.WithUserAsync();
        await using (var newer = new DuckDBConnection($"Data Source={place.Main}"))
        {
            await newer.OpenAsync();
            newer.ExecuteUnprepared("INSERT INTO migrations VALUES ('299901010000_later', TIMESTAMP '2999-01-01')");
        }
        (await RefusalAsync(place)).ShouldContain("newer version of agnes-server (migration 299901010000_later)");
    }

    [Fact]
    public async Task The_engine_keeps_utc_and_new_files_bind_their_log()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await place.OpenAsync();
        (await state.ReadAsync<string>("SELECT current_setting('TimeZone')")).ShouldBe(["UTC"]);
        var version = (await state.ReadAsync<string>("SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = current_database()")).Single();
        version.ShouldStartWith("v1.4.0");
    }

    [Fact]
    public async Task No_index_is_ever_created_on_the_embedded_engine()
    {
        using var place = await StatePlace.EmbeddedAsync();
        await using var state = await place.OpenAsync();
        (await state.ReadAsync<string>("SELECT index_name FROM duckdb_indexes()")).ShouldBeEmpty();
        (await state.ReadAsync<string>("SELECT table_name FROM duckdb_constraints() WHERE constraint_type = 'FOREIGN KEY'")).ShouldBeEmpty();
    }

    private static async Task<string> RefusalAsync(StatePlace place) => (await Should.ThrowAsync<StateRefusedException>(place.OpenAsync)).Message;
}
