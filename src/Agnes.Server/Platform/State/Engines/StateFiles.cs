using System.Globalization;
using Agnes.Engine.Limits;

namespace Agnes.Server.Platform.State.Engines;

/// <summary>The files of an embedded state, and what is checked of them before the engine opens any.</summary>
internal sealed class StateFiles(StateOptions options) : IDisposable
{
    public const string MainName = "system.duckdb";
    public const string DraftName = ".system.duckdb.new";
    public const string LockName = "state.lock";
    public const string RecoveryName = "recovery";
    public const string TemporaryName = "tmp";
    public const int RecoveryCopiesMax = 3;

    private FileStream? _lock;

    public string Folder => options.StateDir;

    public string Main => Path.Combine(Folder, MainName);

    public string Mark => Path.Combine(Folder, CommitMark.FileName);

    public string Recovery => Path.Combine(Folder, RecoveryName);

    /// <summary>What the engine writes ahead, in the state of a checkpoint or a recovery.</summary>
    public IReadOnlyList<string> Logs => Directory.Exists(Folder) ? [.. Directory.EnumerateFiles(Folder, $"{MainName}.wal*").Order(StringComparer.Ordinal)] : [];

    public long LogBytes
    {
        get
        {
            var log = new FileInfo($"{Main}.wal");
            return log.Exists ? log.Length : 0;
        }
    }

    /// <summary>Makes the folder if need be, proves that it can be written, and takes the lock that keeps other processes out until this one ends.</summary>
    public void Enter()
    {
        try
        {
            Directory.CreateDirectory(Folder);
            // The engine makes its files readable to all, and they hold password hashes: so the folder is closed to others.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            var probe = Path.Combine(Folder, $".probe-{Environment.ProcessId}");
            File.WriteAllBytes(probe, [1]);
            File.Delete(probe);
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            throw new StateRefusedException($"The state folder {Folder} cannot be written ({error.Message}). {Remedy(error)}", error);
        }
        try
        {
            _lock = new(Path.Combine(Folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error)
        {
            throw new StateRefusedException($"The state in {Folder} is in use by another agnes-server process. Stop that one first; only one process may open it.", error);
        }
        // What the engine spilled before it was killed.
        var temporary = Path.Combine(Folder, TemporaryName);
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
    }

    /// <summary>A log or a mark without its file is what remains when the file was moved or deleted: opening would make a new, empty state.</summary>
    public void RefuseWithoutMain()
    {
        if (File.Exists(Main)) return;
        var left = Logs.FirstOrDefault() ?? (CommitMark.Read(Mark) > 0 ? Mark : null);
        if (left is null) return;
        throw new StateRefusedException(
            $"{Main} is missing, but {Path.GetFileName(left)} is there: everything would be lost. Nothing was changed. Put the file back, or restore a backup: {RestoreCommand} --force");
    }

    /// <summary>Keeps what is there before the engine replays a log into it. The first copies since the last backup stay, as do the newest.</summary>
    /// <returns>Why no copy was made, if none was.</returns>
    public string? CopyAside(TimeProvider time)
    {
        if (Logs.Count == 0) return null;
        string[] files = [Main, .. Logs];
        var bytes = files.Sum(file => new FileInfo(file).Length);
        if (FileSystem.FreeBytes(Folder) < bytes + Scratch.ReserveBytes) return $"{bytes >> 20} MiB more would not fit on the disk";
        Directory.CreateDirectory(Recovery);
        var kept = Directory.GetDirectories(Recovery).Order(StringComparer.Ordinal).ToList();
        if (kept.Count >= RecoveryCopiesMax) Directory.Delete(kept[1], recursive: true);
        var target = Path.Combine(Recovery, time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss.fffffff", CultureInfo.InvariantCulture));
        Directory.CreateDirectory(target);
        foreach (var file in files)
        {
            var copy = Path.Combine(target, Path.GetFileName(file));
            File.Copy(file, copy);
            FileSystem.Flush(copy);
        }
        FileSystem.FlushFolder(target);
        FileSystem.FlushFolder(Recovery);
        return null;
    }

    /// <summary>After a backup that was opened and counted.</summary>
    public void RemoveCopies()
    {
        if (Directory.Exists(Recovery)) Directory.Delete(Recovery, recursive: true);
    }

    public const string RestoreCommand = "agnes-server restore --from FILE";

    public void Dispose() => _lock?.Dispose();

    private string Remedy(Exception error) => error is UnauthorizedAccessException
        ? $"Give it to the user that runs the server: chown -R {Environment.UserName} {Folder} && chmod u+rwX {Folder}"
        : error.Message.Contains("Read-only", StringComparison.OrdinalIgnoreCase)
            ? $"Mount it writable: mount -o remount,rw $(findmnt -no TARGET -T {Folder})"
            : error.Message.Contains("No space", StringComparison.OrdinalIgnoreCase) ? $"Free some space: df -h {Folder}" : $"Look at it: ls -ld {Folder}";
}
