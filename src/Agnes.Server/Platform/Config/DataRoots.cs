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
        var top = RealFolder.Of(options.DataDir);
        var isOurs = !Directory.Exists(top) || OwnerOnly.IsOurs(top);
        // What is below comes first, so that a start that is cut short finds the top open and does it all again.
        if (Directory.Exists(top)) CloseBelow(options, top, isClosedAbove: isOurs && !options.SharedInbox, wasOpenAbove: isOurs && OwnerOnly.IsOpen(top, TopKeeps(options)), log);
        if (Directory.Exists(options.StateDir)) CloseOne(RealFolder.Of(options.StateDir), UnixFileMode.None, wasOpenAbove: false, mustClose: true, log);
        CloseTop(options, top, log);
    }

    private static UnixFileMode TopKeeps(ServerOptions options) => options.SharedInbox ? UnixFileMode.GroupExecute : UnixFileMode.None;

    private static void CloseTop(ServerOptions options, string top, ILogger log)
    {
        try
        {
            if (OwnerOnly.Close(top, TopKeeps(options)) is { } was) LogMended(log, options.DataDir, OwnerOnly.Octal(was));
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            // It cannot be made: whoever writes there next says so with its remedy. It is another's, e.g. a mounted volume: then what is below counts.
            if (!Directory.Exists(top)) return;
            if (OwnerOnly.IsAnybodys(top)) throw Refused(options.DataDir, "everybody may rename and replace what lies in it", $"or name a folder of your own below it: --data-dir {Path.Combine(options.DataDir, "agnes")}");
            LogAnothers(log, options.DataDir, OwnerOnly.ModeOf(top));
        }
    }

    /// <param name="wasOpenAbove">Then others may sit in any of them, and all of it is walked.</param>
    private static void CloseBelow(ServerOptions options, string top, bool isClosedAbove, bool wasOpenAbove, ILogger log)
    {
        var folder = new DataFolder(top);
        string[] own = [folder.Parts, folder.Scratch, folder.Analytics, folder.State];
        foreach (var below in new DirectoryInfo(top).EnumerateDirectories())
        {
            var isLink = below.LinkTarget is not null;
            var real = isLink ? RealFolder.Of(below.FullName) : below.FullName;
            if (isLink && RealFolder.IsBelow(real, top)) continue; // it has its turn under its own name
            // Where a link leads to, what is above is not ours to close.
            var mustClose = own.Contains(below.FullName) && (!isClosedAbove || isLink);
            if (isLink && OwnerOnly.IsOpen(real, Keeps(options, below.Name)) && IsShared(real, top)) throw RefusedLink(below.FullName, real);
            CloseOne(real, Keeps(options, below.Name), wasOpenAbove && !isLink, mustClose, log);
        }

        if (!wasOpenAbove) return;
        foreach (var file in new DirectoryInfo(top).EnumerateFiles().Where(file => file.LinkTarget is null)) OwnerOnly.CloseFile(file.FullName);
    }

    private static UnixFileMode Keeps(ServerOptions options, string name) =>
        options.SharedInbox && Inboxes.Contains(name) ? UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute : UnixFileMode.None;

    /// <summary>A folder that the machine has for everybody, or one with more in it than this: closing it would lock others out of what is theirs.</summary>
    private static bool IsShared(string real, string top) =>
        RealFolder.IsBelow(top, real) || Path.GetDirectoryName(real) is not { } above || Path.GetDirectoryName(above) is null || OwnerOnly.IsForEverybody(real);

    private static void CloseOne(string folder, UnixFileMode keep, bool wasOpenAbove, bool mustClose, ILogger log)
    {
        try
        {
            var isOpen = OwnerOnly.IsOpen(folder, keep);
            if (isOpen && mustClose && !OwnerOnly.IsOurs(folder)) throw Refused(folder, "others can open it", $"or close it: chmod go-rwx {folder}");
            if (isOpen || wasOpenAbove) OwnerOnly.CloseBelow(folder, keep);
            if (OwnerOnly.Close(folder, keep) is { } was) LogMended(log, folder, OwnerOnly.Octal(was));
        }
        catch (Exception error) when (error is UnauthorizedAccessException or IOException)
        {
            if (mustClose) throw Refused(folder, "others can open it", $"or close it: chmod go-rwx {folder}");
        }
    }

    private static StateRefusedException RefusedLink(string link, string real) =>
        new($"{link} is a link to {real}, which others can open and which is not for this server alone. Make a folder in it that is, and link to that: mkdir -m 700 {Path.Combine(real, "agnes")}, or close it yourself: chmod go-rwx {real}");

    private static StateRefusedException Refused(string folder, string why, string or) =>
        new($"{folder} belongs to another user, and {why}. Give it to the user that runs the server: chown {Environment.UserName} {folder}, {or}");

    [LoggerMessage(1021, LogLevel.Warning, "Other users could open {Folder} (mode {Mode}); it is closed to them now.")]
    private static partial void LogMended(ILogger log, string folder, string mode);

    [LoggerMessage(1022, LogLevel.Warning, "{Folder} belongs to another user (mode {Mode}) and stays as it is; the folders below it are closed to others.")]
    private static partial void LogAnothers(ILogger log, string folder, string mode);
}
