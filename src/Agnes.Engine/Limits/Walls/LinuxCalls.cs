using System.Runtime.InteropServices;

namespace Agnes.Engine.Limits.Walls;

/// <summary>
/// Calls of the kernel that concern one thread only. They go through <c>syscall</c>, since the C library's own functions for users and groups change all threads
/// of the process, and would take the server's rights with the child's.
/// </summary>
internal static unsafe partial class LinuxCalls
{
    public const int SetSecureBits = 28;
    public const int SetNoNewPrivileges = 38;
    public const int CapabilityAmbient = 47;

    /// <summary>Rights do not follow the user: they stay when it changes, none comes with being root, and <c>access</c> counts them as <c>open</c> does. Locked.</summary>
    public const nint RightsApartFromUser = 0b1111;

    public const nint AmbientRaise = 2;
    public const nint AmbientClearAll = 4;

    private const int GetDumpable = 3;
    private const int SetDumpable = 4;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    private static readonly nint DumpableAtFirst = IsKnown ? Syscall(IsArm ? 167 : 157, GetDumpable, 0, 0, 0, 0) : 0;

    /// <summary>The numbers below are known for this processor.</summary>
    public static bool IsKnown => OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <exception cref="WallException">The kernel said no.</exception>
    public static void Prctl(int option, nint first, nint second = 0) => Check(Syscall(IsArm ? 167 : 157, option, first, second, 0, 0), $"prctl {option}");

    public static bool TryPrctl(int option, nint first, nint second = 0) => Syscall(IsArm ? 167 : 157, option, first, second, 0, 0) >= 0;

    /// <summary>Whether the process's memory may be dumped is one thing for all threads, and a thread that changes its user resets it.</summary>
    public static void RestoreDumpable() => TryPrctl(SetDumpable, DumpableAtFirst);

    /// <summary>Of the calling thread, and of what it starts from then on.</summary>
    /// <param name="niceness">From 0 to 19; the more, the less of a busy processor.</param>
    public static void TryLowerPriority(int niceness) => Syscall(IsArm ? 140 : 141, 0, 0, niceness, 0, 0);

    public static bool TryDropGroups() => Syscall(IsArm ? 159 : 116, 0, 0, 0, 0, 0) == 0;

    public static bool TrySetUser(uint id) =>
        Syscall(IsArm ? 149 : 119, (nint)id, (nint)id, (nint)id, 0, 0) == 0 && Syscall(IsArm ? 147 : 117, (nint)id, (nint)id, (nint)id, 0, 0) == 0;

    /// <summary>Effective, permitted and inheritable alike; the sets of the calling thread.</summary>
    public static ulong PermittedCapabilities()
    {
        var header = stackalloc uint[] { CapabilityVersion, 0 };
        var data = stackalloc uint[6];
        return Syscall(IsArm ? 90 : 125, (nint)header, (nint)data, 0, 0, 0) < 0 ? 0 : data[1] | ((ulong)data[4] << 32);
    }

    public static void SetCapabilities(ulong kept)
    {
        var header = stackalloc uint[] { CapabilityVersion, 0 };
        var (low, high) = ((uint)kept, (uint)(kept >> 32));
        var data = stackalloc uint[] { low, low, low, high, high, high };
        Check(Syscall(IsArm ? 91 : 126, (nint)header, (nint)data, 0, 0, 0), "capset");
    }

    /// <summary>Marks every open file but the three standard ones to be closed when a program is started: whoever started this process may have left it some.</summary>
    public static void CloseOnExec()
    {
        if (Syscall(CloseRange, FirstOther, unchecked((nint)uint.MaxValue), CloseRangeOnExec, 0, 0) >= 0) return;
        foreach (var file in Directory.EnumerateFileSystemEntries("/proc/self/fd")) // before Linux 5.11
            if (int.TryParse(Path.GetFileName(file), out var descriptor) && descriptor >= FirstOther) _ = Syscall(IsArm ? 25 : 72, descriptor, SetDescriptorFlags, OnExec, 0, 0);
    }

    /// <summary>Whether Landlock takes signals to others and leaves those between threads of one process, which the runtime cannot do without.</summary>
    public static bool ScopesSignals() => Syscall(LandlockCreate, 0, 0, AskErrata, 0, 0) is > 0 and var mended && (mended & SignalErratum) != 0;

    /// <returns>The version of Landlock; below 1 where there is none.</returns>
    public static int LandlockVersion() => (int)Syscall(LandlockCreate, 0, 0, 1, 0, 0);

    public static int CreateRuleset(LandlockAttributes* attributes, nint size) => (int)Check(Syscall(LandlockCreate, (nint)attributes, size, 0, 0, 0), "landlock_create_ruleset");

    public static void AddPath(int ruleset, LandlockPath* rule) => Check(Syscall(LandlockAdd, ruleset, PathBeneath, (nint)rule, 0, 0), "landlock_add_rule");

    public static void Restrict(int ruleset) => Check(Syscall(LandlockRestrict, ruleset, 0, 0, 0, 0), "landlock_restrict_self");

    public static bool OffersSeccomp()
    {
        var action = SyscallFilter.ReturnErrno;
        return Syscall(SeccompNumber, SeccompActionAvailable, 0, (nint)(&action), 0, 0) == 0;
    }

    /// <returns>Whether all threads of the process have the filter now.</returns>
    public static bool TryFilterAllThreads(SockFilterProgram* program) => Syscall(SeccompNumber, SeccompSetFilter, SeccompAllThreads, (nint)program, 0, 0) == 0;

    public static bool TryChown(string path, uint user) => Chown(path, user, user) == 0;

    private const uint CapabilityVersion = 0x20080522;
    private const nint LandlockCreate = 444;
    private const nint LandlockAdd = 445;
    private const nint LandlockRestrict = 446;
    private const nint PathBeneath = 1;
    private const nint AskErrata = 2;
    private const nint SignalErratum = 1 << 1;
    private const nint CloseRange = 436;
    private const nint CloseRangeOnExec = 4;
    private const int FirstOther = 3;
    private const nint SetDescriptorFlags = 2;
    private const nint OnExec = 1;
    private const nint SeccompSetFilter = 1;
    private const nint SeccompActionAvailable = 2;
    private const nint SeccompAllThreads = 1;

    private static nint SeccompNumber => IsArm ? 277 : 317;

    private static nint Check(nint result, string call) =>
        result >= 0 ? result : throw new WallException($"{call} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint Syscall(nint number, nint a, nint b, nint c, nint d, nint e);

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Chown(string path, uint user, uint group);
}

/// <summary>A wall that the kernel seemed to offer could not be put up; nothing was started without it.</summary>
public sealed class WallException(string message) : IOException(message);

[StructLayout(LayoutKind.Sequential)]
internal struct LandlockAttributes
{
    public ulong Files;
    public ulong Network;
    public ulong Scoped;
}

/// <summary>Packed: 12 bytes.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct LandlockPath
{
    public ulong Allowed;
    public int Folder;
}

[StructLayout(LayoutKind.Sequential)]
internal struct SockFilter
{
    public ushort Code;
    public byte JumpTrue;
    public byte JumpFalse;
    public uint Value;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SockFilterProgram
{
    public ushort Length;
    public SockFilter* Filter;
}
