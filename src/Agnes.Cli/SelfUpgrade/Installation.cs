using System.Runtime.InteropServices;
using Agnes.Cli.Settings;

namespace Agnes.Cli.SelfUpgrade;

/// <summary>How this program was installed, and how another version takes its place. Whatever happens on the way, one of the two can be started.</summary>
internal abstract class Installation
{
    public const string IncomingPrefix = ".incoming-";
    public const string InPlaceMark = ".agnes-install";
    public const string Versions = "versions";
    protected const string Current = "current";

    /// <summary>On the volume that the program is on, so that moving is renaming.</summary>
    public abstract string Root { get; }

    /// <summary>The program as its users start it, after a change too.</summary>
    public abstract string Program { get; }

    public static string ProgramName => OperatingSystem.IsWindows() ? "agnes.exe" : "agnes";

    /// <returns>Null where another tool installed it (dotnet tool, a package manager, a build folder) and has to update it.</returns>
    public static Installation? Find(string programFolder)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(programFolder));
        if (File.Exists(Path.Combine(folder, InPlaceMark))) return new InPlaceInstallation(folder);
        var versions = Path.GetDirectoryName(folder);
        if (versions is null || Path.GetFileName(versions) != Versions || Path.GetDirectoryName(versions) is not { } root) return null;
        return new DirectoryInfo(Path.Combine(root, Current)).LinkTarget is null ? null : new VersionedInstallation(root);
    }

    /// <summary>Puts the unpacked version in place. Until the last step, which is one rename where the system can do that, the old one is what starts.</summary>
    /// <returns>Undoes it.</returns>
    public abstract Action Switch(string unpacked, string version);

    /// <summary>Removes what is of no more use, as far as nobody holds it.</summary>
    public abstract void Tidy();

    /// <summary>What a killed run left behind. To be called by the holder of the lock only.</summary>
    public void Sweep()
    {
        foreach (var folder in Directory.EnumerateDirectories(Root, $"{IncomingPrefix}*")) TryDelete(folder);
    }

    /// <summary>As far as nobody holds it.</summary>
    public static void TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // Held by a program that still runs; the next upgrade finds it again.
        }
    }
}

/// <summary><c>versions/1.2.3/</c> beside each other and a link <c>current</c>, which changes in one rename: there is no instant without a program.</summary>
internal sealed partial class VersionedInstallation(string root) : Installation
{
    private const int KeptVersions = 2;

    public override string Root => root;

    public override string Program => Path.Combine(root, Current, ProgramName);

    public override Action Switch(string unpacked, string version)
    {
        var before = new DirectoryInfo(Path.Combine(root, Current)).LinkTarget;
        var name = Directory.Exists(Path.Combine(root, Versions, version)) ? $"{version}.{Guid.NewGuid():N}" : version; // the one that is there may be in use
        Directory.Move(unpacked, Path.Combine(root, Versions, name));
        Link(Path.Combine(Versions, name));
        return () =>
        {
            if (before is not null) Link(before);
        };
    }

    public override void Tidy()
    {
        var now = Path.GetFileName(new DirectoryInfo(Path.Combine(root, Current)).LinkTarget);
        var old = Directory.EnumerateDirectories(Path.Combine(root, Versions)).Where(folder => Path.GetFileName(folder) != now).OrderByDescending(Directory.GetLastWriteTimeUtc).Skip(KeptVersions - 1);
        foreach (var folder in old.ToList()) TryDelete(folder);
        Sweep();
    }

    private void Link(string target)
    {
        var fresh = Path.Combine(root, $"{IncomingPrefix}{Guid.NewGuid():N}");
        Directory.CreateSymbolicLink(fresh, target);
        if (Rename(fresh, Path.Combine(root, Current)) == 0) return;
        var problem = Marshal.GetLastPInvokeErrorMessage();
        Directory.Delete(fresh);
        throw new IOException($"'{Path.Combine(root, Current)}' could not be changed: {problem}");
    }

    /// <summary>.NET's own move takes a link to a folder for the folder.</summary>
    [LibraryImport("libc", EntryPoint = "rename", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    private static partial int Rename(string from, string to);
}

/// <summary>Windows: a running program cannot be overwritten but renamed, so each file makes way under another name and the new one takes its place.</summary>
internal sealed class InPlaceInstallation(string folder) : Installation
{
    private const string OldSuffix = ".old";

    public override string Root => folder;

    public override string Program => Path.Combine(folder, ProgramName);

    public override Action Switch(string unpacked, string version)
    {
        Tidy();
        var done = new List<(string Target, string? Old)>();
        void Undo()
        {
            foreach (var (target, old) in done.AsEnumerable().Reverse())
            {
                File.Delete(target);
                if (old is not null) File.Move(old, target);
            }
        }

        try
        {
            // The program itself last: until then what starts is the old one.
            foreach (var file in Directory.EnumerateFiles(unpacked).OrderBy(file => Path.GetFileName(file) == ProgramName).ThenBy(file => file, StringComparer.Ordinal))
            {
                var target = Path.Combine(folder, Path.GetFileName(file));
                string? old = null;
                if (File.Exists(target)) File.Move(target, old = $"{target}.{Guid.NewGuid():N}{OldSuffix}");
                done.Add((target, old));
                File.Move(file, target);
            }

            File.WriteAllText(Path.Combine(folder, InPlaceMark), version);
        }
        catch
        {
            Undo();
            throw;
        }

        return Undo;
    }

    public override void Tidy()
    {
        foreach (var file in Directory.EnumerateFiles(folder, $"*{OldSuffix}"))
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
            {
                // Still running; the next upgrade finds it again.
            }
        }
    }
}
