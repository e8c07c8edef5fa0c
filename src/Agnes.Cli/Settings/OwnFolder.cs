namespace Agnes.Cli.Settings;

internal static class OwnFolder
{
    /// <summary>Makes a folder that only its owner can open.</summary>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
