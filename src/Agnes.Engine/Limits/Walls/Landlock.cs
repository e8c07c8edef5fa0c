namespace Agnes.Engine.Limits.Walls;

/// <summary>The files that a thread, and whatever it starts, may open. A rule holds for a path and everything below it; what no rule names cannot be opened.</summary>
internal static unsafe class Landlock
{
    /// <summary>From Linux 5.19 on: before, nothing could be renamed or linked from one folder to another.</summary>
    public const int VersionMin = 2;

    private const ulong Execute = 1 << 0;
    private const ulong WriteFile = 1 << 1;
    private const ulong ReadFile = 1 << 2;
    private const ulong ReadFolder = 1 << 3;
    private const ulong RemoveFolder = 1 << 4;
    private const ulong RemoveFile = 1 << 5;
    private const ulong MakeFolder = 1 << 7;
    private const ulong MakeFile = 1 << 8;
    private const ulong Refer = 1 << 13;
    private const ulong Truncate = 1 << 14;
    private const ulong OfFiles = Execute | WriteFile | ReadFile | Truncate;
    private const ulong ReadAll = ReadFile | ReadFolder;
    private const ulong WriteAll = ReadAll | WriteFile | RemoveFolder | RemoveFile | MakeFolder | MakeFile | Refer | Truncate;
    private const int AllOfVersion2 = 14;
    private const int AllOfVersion3 = 15;
    private const int AllOfVersion5 = 16; // device controls
    private const int VersionOfTruncate = 3;
    private const int VersionOfNetwork = 4;
    private const int VersionOfDevices = 5;
    private const int VersionOfScopes = 6;
    private const ulong AbstractSockets = 1;
    private const ulong Signals = 2;
    private const ulong TcpBindAndConnect = 0b11;
    private const int OpenPathOnly = 0x200000;

    /// <summary>A ruleset, ready for <see cref="LinuxCalls.Restrict"/>; the caller closes it.</summary>
    public static int Build(int version, string program, string scratch, Reach reach)
    {
        var handled = (1UL << (version >= VersionOfDevices ? AllOfVersion5 : version >= VersionOfTruncate ? AllOfVersion3 : AllOfVersion2)) - 1;
        var attributes = new LandlockAttributes { Files = handled, Network = reach.Network ? 0 : TcpBindAndConnect, Scoped = AbstractSockets | (LinuxCalls.ScopesSignals() ? Signals : 0) };
        var size = version >= VersionOfScopes ? sizeof(LandlockAttributes) : version >= VersionOfNetwork ? sizeof(LandlockAttributes) - sizeof(ulong) : sizeof(ulong);
        var ruleset = LinuxCalls.CreateRuleset(&attributes, size);
        try
        {
            foreach (var path in RuntimeFiles.Executable(program)) Add(ruleset, path, (Execute | ReadFile) & handled);
            foreach (var path in RuntimeFiles.Readable(program)) Add(ruleset, path, ReadAll & handled);
            foreach (var path in RuntimeFiles.ReadableButNotListed) Add(ruleset, path, ReadFile);
            if (reach.Network)
                foreach (var path in RuntimeFiles.OfTheNetwork.Concat(RuntimeFiles.Authorities)) Add(ruleset, path, ReadAll & handled);
            Add(ruleset, "/dev/null", (ReadFile | WriteFile | Truncate) & handled);
            foreach (var path in reach.Runs) Add(ruleset, path, (Execute | ReadAll) & handled);
            foreach (var path in reach.Reads) Add(ruleset, path, ReadAll & handled);
            foreach (var path in reach.Writes.Append(scratch)) Add(ruleset, path, WriteAll & handled);
            return ruleset;
        }
        catch
        {
            _ = Libc.Close(ruleset);
            throw;
        }
    }

    private static void Add(int ruleset, string path, ulong rights)
    {
        var descriptor = Libc.Open(path, OpenPathOnly | Libc.OpenCloseOnExec, 0);
        if (descriptor < 0) return; // it is not there, so that nobody can open it either
        try
        {
            var rule = new LandlockPath { Allowed = Directory.Exists(path) ? rights : rights & OfFiles, Folder = descriptor };
            if (rule.Allowed != 0) LinuxCalls.AddPath(ruleset, &rule);
        }
        finally
        {
            _ = Libc.Close(descriptor);
        }
    }
}
