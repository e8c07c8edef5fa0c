using Agnes.Server.Platform.State;
using Agnes.Server.Platform.State.Maintenance;
using Agnes.Testing;

namespace Agnes.Server.Tests.State;

/// <summary>State holds password hashes: others on the machine must not be able to read it.</summary>
public sealed class PrivacyTests
{
    [Fact]
    public async Task Nobody_else_can_read_the_state_or_a_backup_of_it()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows inherits rights from the folder above.");
            return; // for the analyzer, which does not know that Skip throws
        }

        using var folder = new TemporaryFolder();
        await using (var state = await StateDb.OpenAsync(new StateOptions { DataDir = folder.Path, StateDir = folder["state"] }, cancellation: TestContext.Current.CancellationToken))
        {
            await Backup.RunAsync(state, folder["backups", "one.duckdb"], TestContext.Current.CancellationToken);
        }

        const UnixFileMode others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
        (File.GetUnixFileMode(folder["state"]) & others).ShouldBe(UnixFileMode.None);
        (File.GetUnixFileMode(folder["backups", "one.duckdb"]) & others).ShouldBe(UnixFileMode.None);
        Directory.GetFileSystemEntries(folder["backups"]).Length.ShouldBe(1);
    }
}
