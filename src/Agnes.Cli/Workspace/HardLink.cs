using System.Runtime.InteropServices;

namespace Agnes.Cli.Workspace;

/// <summary>A second name for the same bytes; a copy where the file system knows no such thing (FAT, some network drives).</summary>
internal static partial class HardLink
{
    /// <summary>Puts the file under the new name, replacing what was there in one step.</summary>
    public static void Place(string existing, string name)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(name)!);
        var temporary = Path.Combine(Path.GetDirectoryName(name)!, $".{Path.GetRandomFileName()}");
        try
        {
            if (!TryLink(existing, temporary)) File.Copy(existing, temporary);
            File.Move(temporary, name, overwrite: true);
        }
        finally
        {
            // Renaming one name of a file onto another name of the same file does nothing and leaves both.
            File.Delete(temporary);
        }
    }

    private static bool TryLink(string existing, string name) =>
        OperatingSystem.IsWindows() ? CreateHardLinkW(name, existing, 0) : Link(existing, name) == 0;

    [LibraryImport("libc", EntryPoint = "link", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string name);

    [LibraryImport("kernel32", StringMarshalling = StringMarshalling.Utf16)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool CreateHardLinkW(string name, string existing, nint security);
}
