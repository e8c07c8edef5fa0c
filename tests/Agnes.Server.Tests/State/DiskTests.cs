using System.Diagnostics;
using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Engines;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

/// <summary>A disk that is full, on a small file system of the test's own. Needs the right to mount one.</summary>
public sealed class DiskTests
{
    [Fact]
    public async Task A_full_disk_fails_writes_with_its_name_and_nothing_is_lost()
    {
        using var disk = await SmallDisk.MountAsync();
        var options = new StateOptions { DataDir = disk.Path, StateDir = Path.Combine(disk.Path, "state"), CheckSnapshot = true };
        await using (var state = await StateDb.OpenAsync(options))
        {
            await state.WriteAsync(write => write.AddUserAsync("before@example.com"));
            disk.Fill();
            var failure = await FailAsync(state);
            failure.Reason.ShouldBe(StateFailure.DiskFull);
            failure.Message.ShouldContain(options.StateDir);
            state.Failure.ShouldBe(failure);
            state.Snapshot.UserByEmail("before@example.com").ShouldNotBeNull("reads go on");
            (await state.ReadAsync<long>("SELECT count(*) FROM users")).ShouldBe([state.Snapshot.UsersById.Count]);
            disk.Free();
            await state.WriteAsync(write => write.AddUserAsync("after@example.com"));
            state.Failure.ShouldBeNull();
        }
        await using (var state = await StateDb.OpenAsync(options)) state.Snapshot.UserByEmail("after@example.com").ShouldNotBeNull();
    }

    [Fact]
    public async Task An_engine_that_died_of_it_is_reopened_and_nothing_acknowledged_is_lost()
    {
        using var disk = await SmallDisk.MountAsync();
        Exception? dead = null;
        var options = new StateOptions { DataDir = disk.Path, StateDir = Path.Combine(disk.Path, "state"), CheckSnapshot = true, OnDead = error => dead = error };
        await using var state = await StateDb.OpenAsync(options);
        for (var i = 0; i < 50; i++) await state.WriteAsync(write => write.AddUserAsync($"u{i}@example.com"));
        // A checkpoint that runs out of space kills the engine.
        var store = (DuckDbStore)state.Store;
        disk.Fill(leaveBytes: 4 << 20);
        await state.Gate.AloneAsync(() =>
        {
            store.Connection.ExecuteUnprepared("INSERT INTO job_log SELECT 'j', range, TIMESTAMP '2026-01-01', md5(range::VARCHAR) || md5((range + 1)::VARCHAR) FROM range(35000)");
            Should.Throw<DuckDB.NET.Data.DuckDBException>(() => store.Connection.ExecuteUnprepared("CHECKPOINT")).IsFatal.ShouldBeTrue();
            return Task.FromResult(true);
        }, CancellationToken.None);
        await Should.ThrowAsync<StateUnavailableException>(() => state.ReadAsync<long>("SELECT count(*) FROM users"));
        var before = state.Snapshot.UsersById.Count;
        before.ShouldBe(50);
        disk.Free();
        await WaitForWriteAsync(state);
        (await state.ReadAsync<long>("SELECT count(*) FROM job_log")).ShouldBe([35000]);
        dead.ShouldBeNull();
        state.Snapshot.UsersById.Count.ShouldBe(before + 1);
        (await state.ReadAsync<long>("SELECT count(*) FROM users")).ShouldBe([before + 1]);
    }

    [Fact]
    public async Task Appended_rows_wait_for_space_and_then_are_written()
    {
        using var disk = await SmallDisk.MountAsync();
        var options = new StateOptions { DataDir = disk.Path, StateDir = Path.Combine(disk.Path, "state") };
        await using var state = await StateDb.OpenAsync(options);
        disk.Fill();
        await FailAsync(state);
        var line = new string('x', 500);
        const string Sql = "INSERT INTO job_log (job_id, seq, ts, line) VALUES ('j', @seq, @ts, @line)";
        for (var seq = 0; seq < 1000; seq++) await state.AppendAsync(Sql, new { seq, ts = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc), line });
        await Task.Delay(600);
        disk.Free();
        await state.FlushAsync();
        (await state.ReadAsync<long>("SELECT count(*) FROM job_log")).ShouldBe([1000]);
    }

    private static async Task<StateUnavailableException> FailAsync(StateDb state)
    {
        for (var i = 0; i < 10_000; i++)
        {
            try
            {
                await state.WriteAsync(write => write.AddUserAsync($"full{i}@example.com"));
            }
            catch (StateUnavailableException error)
            {
                return error;
            }
        }
        throw new InvalidOperationException("The disk never became full.");
    }

    private static async Task WaitForWriteAsync(StateDb state)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                await state.WriteAsync(write => write.AddUserAsync("again@example.com"));
                return;
            }
            catch (StateUnavailableException) when (attempt < 3)
            {
                // The first one finds the engine dead.
            }
        }
    }

    private sealed class SmallDisk : IDisposable
    {
        private readonly TemporaryFolder _folder = new();

        public string Path => _folder["disk"];

        public static async Task<SmallDisk> MountAsync()
        {
            var disk = new SmallDisk();
            Directory.CreateDirectory(disk.Path);
            if (await RunAsync("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", disk.Path) == 0) return disk;
            disk._folder.Dispose();
            Assert.Skip("A file system can only be mounted by root.");
            throw new InvalidOperationException("Skipped.");
        }

        public void Fill(int leaveBytes = 0)
        {
            using var file = new FileStream(System.IO.Path.Combine(Path, "filler"), FileMode.Append, FileAccess.Write, FileShare.Read, 1);
            try
            {
                var block = new byte[4096];
                while (true) file.Write(block);
            }
            catch (IOException)
            {
                // Full.
            }
            file.SetLength(file.Length - leaveBytes);
        }

        public void Free() => File.Delete(System.IO.Path.Combine(Path, "filler"));

        public void Dispose()
        {
            using var unmount = Process.Start(new ProcessStartInfo("umount", ["-l", Path]) { UseShellExecute = false });
            unmount?.WaitForExit();
            _folder.Dispose();
        }

        private static async Task<int> RunAsync(string program, params string[] arguments)
        {
            try
            {
                using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
                await process.StandardError.ReadToEndAsync();
                await process.WaitForExitAsync();
                return process.ExitCode;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return -1;
            }
        }
    }
}
