using Agnes.Engine.Parts;
using Agnes.Protocol;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// The folders that everything lies in are this user's alone. What an older version, an unpacked backup or a careful hand left open is closed at every start.
/// </summary>
internal static partial class DataRoots
{
    /// <summary>Where others may bring something, if the operator says so.</summary>
    private static readonly string[] Inboxes = ["extracts", "csv"];

    /// <exception cref="StateRefusedException">A folder that others can open belongs to somebody else, so that it cannot be closed.</exception>
    public static void Close(ServerOptions options, ILogger log)
    {
        if (OperatingSystem.IsWindows()) return; // a folder's rights are inherited there
        var isClosed = CloseTop(options, log);
        CloseBelow(options, isClosed, log);
        if (Directory.Exists(options.StateDir)) CloseOne(options.StateDir, UnixFileMode.None, mustClose: true, log);
    }

    /// <returns>Whether nobody else gets through it.</returns>
    private static bool CloseTop(ServerOptions options, ILogger log)
    {
        try
        {
            if (OwnerOnly.Close(options.DataDir, options.SharedInbox ? UnixFileMode.GroupExecute : UnixFileMode.None) is { } was) LogMended(log, options.DataDir, OwnerOnly.Octal(was));
            return !options.SharedInbox;
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            // It cannot be made: whoever writes there next says so with its remedy. It is another's, e.g. a mounted volume: then what is below counts.
            if (!Directory.Exists(options.DataDir)) return false;
            if (OwnerOnly.IsAnybodys(options.DataDir)) throw Refused(options.DataDir, "everybody may rename and replace what lies in it", $"or name a folder of your own below it: --data-dir {Path.Combine(options.DataDir, "agnes")}");
            LogAnothers(log, options.DataDir, OwnerOnly.ModeOf(options.DataDir));
            return false;
        }
    }

    private static void CloseBelow(ServerOptions options, bool isClosedAbove, ILogger log)
    {
        if (!Directory.Exists(options.DataDir)) return;
        var folder = new DataFolder(options.DataDir);
        string[] own = [folder.Parts, folder.Scratch, folder.Analytics, folder.State];
        foreach (var below in new DirectoryInfo(options.DataDir).EnumerateDirectories().Where(below => below.LinkTarget is null))
        {
            var keep = options.SharedInbox && Inboxes.Contains(below.Name) ? UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute : UnixFileMode.None;
            CloseOne(below.FullName, keep, mustClose: !isClosedAbove && own.Contains(below.FullName), log);
        }
    }

    private static void CloseOne(string folder, UnixFileMode keep, bool mustClose, ILogger log)
    {
        try
        {
            if (OwnerOnly.Close(folder, keep) is { } was) LogMended(log, folder, OwnerOnly.Octal(was));
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            if (mustClose) throw Refused(folder, "others can open it", $"or close it: chmod go-rwx {folder}");
        }
    }

    private static StateRefusedException Refused(string folder, string why, string or) =>
        new($"{folder} belongs to another user, and {why}. Give it to the user that runs the server: chown {Environment.UserName} {folder}, {or}");

    [LoggerMessage(1021, LogLevel.Warning, "Other users could open {Folder} (mode {Mode}); it is closed to them now.")]
    private static partial void LogMended(ILogger log, string folder, string mode);

    [LoggerMessage(1022, LogLevel.Warning, "{Folder} belongs to another user (mode {Mode}) and stays as it is; the folders below it are closed to others.")]
    private static partial void LogAnothers(ILogger log, string folder, string mode);
}
