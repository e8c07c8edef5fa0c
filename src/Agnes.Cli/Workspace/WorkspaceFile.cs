using Agnes.Cli.Files;
using Agnes.Cli.Sessions;
using Agnes.Cli.Settings;
using Agnes.Protocol;
using Microsoft.Win32.SafeHandles;

namespace Agnes.Cli.Workspace;

/// <summary>
/// The one way to write into, append to or lock a file of ours that is there already: a workspace may come from elsewhere, with links where our files belong. What is
/// opened is a plain file with one name, in its own place in the workspace. Whole files are written with <see cref="AtomicFile"/>, which replaces a link instead.
/// </summary>
internal static class WorkspaceFile
{
    /// <summary>Opens it for reading and writing, and makes it where it is missing.</summary>
    /// <exception cref="UnauthorizedAccessException">It is something else, or lies elsewhere.</exception>
    /// <exception cref="IOException">It cannot be made.</exception>
    public static FileStream Open(Layout layout, string path) => Stream(OpenHandle(layout, path));

    /// <summary>The same, for who writes in several places at once.</summary>
    public static SafeFileHandle OpenHandle(Layout layout, string path) => TryOpen(layout, path, locked: false)!;

    /// <summary>The same, for one process at a time. The system lets go of it when its holder dies, however it dies.</summary>
    /// <returns>Null where another process has it.</returns>
    public static FileStream? TryLock(Layout layout, string path) => TryOpen(layout, path, locked: true) is { } handle ? Stream(handle) : null;

    /// <exception cref="UnauthorizedAccessException">On the way from the workspace to the folder is a link.</exception>
    public static void RequireOwn(Layout layout, params ReadOnlySpan<string> folders)
    {
        var root = RealFolder.Of(layout.Root);
        foreach (var folder in folders) RequireOwn(layout, root, folder);
    }

    private static void RequireOwn(Layout layout, string root, string folder)
    {
        if (RealFolder.Of(folder) is var real && real.Equals(Path.GetFullPath(Path.GetRelativePath(layout.Root, folder), root), RealFolder.Names)) return;
        throw new UnauthorizedAccessException($"{folder} is, or lies behind, a link ({real}); nothing was written there. Remove the link; the workspace as a whole may be one.");
    }

    private static FileStream Stream(SafeFileHandle handle) => new(handle, FileAccess.ReadWrite, bufferSize: 0);

    private static SafeFileHandle? TryOpen(Layout layout, string path, bool locked)
    {
        RequireOwn(layout, Path.GetDirectoryName(path)!);
        try
        {
            // Made first, and never through a link; what is there then is opened like what was there before.
            File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.ReadWrite).Dispose();
        }
        catch (IOException problem) when (problem is not (FileNotFoundException or DirectoryNotFoundException or PathTooLongException) && Exists(path))
        {
            // It was there.
        }

        var handle = PlainFile.OpenToWrite(path, locked, out var isBusy);
        if (isBusy) return null;
        return handle ?? throw new UnauthorizedAccessException($"{path} is a link, has a second name, or is no plain file; nothing was written to it. Remove it.");
    }

    /// <summary>Of a link itself, wherever it leads.</summary>
    private static bool Exists(string path) => File.Exists(path) || new FileInfo(path).LinkTarget is not null || Directory.Exists(path);
}
