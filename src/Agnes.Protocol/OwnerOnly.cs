using System.IO.Enumeration;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Agnes.Protocol;

/// <summary>
/// What our programs make is for their user alone. The mask is the one place: whatever makes a file, ours or the engine's, now or later, passes through it.
/// Whoever means a file for others says so by setting its mode.
/// </summary>
public static partial class OwnerOnly
{
    public const UnixFileMode Folder = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private const UnixFileMode GroupBits = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;
    private const UnixFileMode OtherBits = UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const uint Mask = 0b000_111_111; // octal 077

    /// <summary>The first line of a program: files it makes are 0600 and folders 0700, its children's too. Windows inherits the rights of the folder instead.</summary>
    public static void FromNowOn()
    {
        if (!OperatingSystem.IsWindows()) _ = SetMask(Mask);
    }

    /// <summary>Makes a folder that only its user can open, or takes the rights of others from one that is there.</summary>
    /// <param name="keep">Bits of the group that may stay.</param>
    /// <returns>The mode that was mended; null where there was nothing to mend.</returns>
    /// <exception cref="UnauthorizedAccessException">It is another user's folder, and others can open it.</exception>
    public static UnixFileMode? Close(string folder, UnixFileMode keep = UnixFileMode.None)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
            return null;
        }

        Directory.CreateDirectory(folder, Folder);
        return CloseEntry(folder, keep);
    }

    /// <summary>Takes the rights of others from everything in the folder, however deep. Links are left, and what they lead to.</summary>
    public static void CloseBelow(string folder, UnixFileMode keep = UnixFileMode.None)
    {
        if (OperatingSystem.IsWindows()) return;
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint };
        // Whoever sits in one of them sees it closed before what is in it.
        foreach (var entry in new FileSystemEnumerable<string>(folder, (ref entry) => entry.ToFullPath(), options) { ShouldRecursePredicate = (ref entry) => !entry.Attributes.HasFlag(FileAttributes.ReparsePoint) })
        {
            try
            {
                CloseEntry(entry, keep);
            }
            catch (Exception error) when (error is UnauthorizedAccessException or IOException)
            {
                // Another user's file, who may give it to whom they like, or one that has just gone.
            }
        }
    }

    /// <summary>Takes the rights of others from a file, where that is ours to do.</summary>
    public static void CloseFile(string file)
    {
        if (!OperatingSystem.IsWindows() && IsOpen(file) && IsOurs(file)) CloseEntry(file, UnixFileMode.None);
    }

    /// <summary>Whether the folder is one in which everybody may make things, like <c>/tmp</c>.</summary>
    public static bool IsForEverybody(string folder) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(folder) & UnixFileMode.OtherWrite) != UnixFileMode.None;

    /// <summary>Whether others can open the folder.</summary>
    public static bool IsOpen(string folder, UnixFileMode keep = UnixFileMode.None) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(folder) & (OtherBits | (GroupBits & ~keep))) != UnixFileMode.None;

    /// <summary>Whether its rights are ours to change.</summary>
    public static bool IsOurs(string folder)
    {
        if (OperatingSystem.IsWindows()) return true;
        try
        {
            File.SetUnixFileMode(folder, File.GetUnixFileMode(folder));
            return true;
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            return false;
        }
    }

    /// <summary>Whether anybody but its user and its group may make, rename and remove what lies in the folder.</summary>
    public static bool IsAnybodys(string folder) =>
        !OperatingSystem.IsWindows() && (File.GetUnixFileMode(folder) & (UnixFileMode.OtherWrite | UnixFileMode.StickyBit)) == UnixFileMode.OtherWrite;

    /// <summary>The folder's mode, as <c>chmod</c> takes it; empty on Windows.</summary>
    public static string ModeOf(string folder) => OperatingSystem.IsWindows() ? "" : Octal(File.GetUnixFileMode(folder));

    /// <summary>As <c>chmod</c> takes it.</summary>
    public static string Octal(UnixFileMode mode) => Convert.ToString((int)mode, 8).PadLeft(4, '0');

    [UnsupportedOSPlatform("windows")]
    private static UnixFileMode? CloseEntry(string path, UnixFileMode keep)
    {
        var mode = File.GetUnixFileMode(path);
        var closed = mode & ~(OtherBits | (GroupBits & ~keep));
        if (closed == mode) return null;
        File.SetUnixFileMode(path, closed);
        return mode;
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetMask(uint mask);
}
