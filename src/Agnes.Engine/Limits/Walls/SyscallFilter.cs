using System.Runtime.InteropServices;

namespace Agnes.Engine.Limits.Walls;

/// <summary>What a child may ask of the kernel besides opening files: put up by the child itself as the first thing it does, on all its threads, for good.</summary>
public static unsafe class SyscallFilter
{
    /// <summary>Set by <see cref="ChildProcess"/> for every child, so that no role has to remember.</summary>
    public const string Variable = "CHILD_OF_AGNES_SERVER";

    internal const string Sealed = "sealed";
    internal const string ChangesModes = "modes";
    internal const string UsesNetwork = "network";
    internal const uint ReturnErrno = 0x00050000;

    private const uint Allow = 0x7fff0000;
    private const uint KillProcess = 0x80000000;
    private const uint NotPermitted = ReturnErrno | 1;
    private const uint NoSuchCall = ReturnErrno | 38;
    private const uint FamilyNotSupported = ReturnErrno | 97;
    private const uint ArchitectureX64 = 0xC000003E;
    private const uint ArchitectureArm64 = 0xC00000B7;
    private const uint FirstOfX32 = 0x40000000;
    private const uint ThreadFlag = 0x00010000;
    private const uint Internet = 2;
    private const uint InternetV6 = 10;
    private const uint Routes = 16; // the resolver asks which addresses this machine has
    private const uint OffsetNumber = 0;
    private const uint OffsetArchitecture = 4;
    private const uint OffsetArguments = 16;
    private const uint ArgumentBytes = 8;
    private const ushort Load = 0x20;
    private const ushort IfEqual = 0x15;
    private const ushort IfGreater = 0x25;
    private const ushort IfAnyBit = 0x45;
    private const ushort Return = 0x06;
    private const int ExitWithoutWalls = 71;

    /// <summary>The first line of a program that plays children's roles. Does nothing in a process that is no child; ends a child that cannot be closed.</summary>
    public static void CloseIfChild()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } words) return;
        if (TryClose(words.Split(' '))) return;
        Console.Error.WriteLine("The kernel refused the filter that this process must have (seccomp). AGNES_WALLS=off starts it without.");
        Environment.Exit(ExitWithoutWalls);
    }

    internal static string WordsFor(Reach reach)
    {
        return string.Join(' ', (string?[])[Sealed, reach.Writes.Count > 0 ? ChangesModes : null, reach.Network ? UsesNetwork : null]).Trim();
    }

    internal static bool TryClose(string[] words)
    {
        var filter = Program(words.Contains(ChangesModes), words.Contains(UsesNetwork));
        fixed (SockFilter* first = filter)
        {
            var program = new SockFilterProgram { Length = (ushort)filter.Length, Filter = first };
            return LinuxCalls.TryFilterAllThreads(&program);
        }
    }

    private static SockFilter[] Program(bool changesModes, bool network)
    {
        var isArm = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
        var self = (uint)Environment.ProcessId;
        List<SockFilter> filter =
        [
            Do(Load, OffsetArchitecture), If(IfEqual, isArm ? ArchitectureArm64 : ArchitectureX64, 1, 0), Do(Return, KillProcess),
            Do(Load, OffsetNumber), If(IfGreater, FirstOfX32 - 1, 0, 1), Do(Return, KillProcess),
            If(IfGreater, SyscallList.LastReviewed, 0, 1), Do(Return, NoSuchCall),
        ];
        void Refuse(Call call, uint answer)
        {
            if ((isArm ? call.Arm64 : call.X64) is >= 0 and var number) filter.AddRange([If(IfEqual, (uint)number, 0, 1), Do(Return, answer)]);
        }

        void Look(Call call, params SockFilter[] decision)
        {
            filter.Add(If(IfEqual, (uint)(isArm ? call.Arm64 : call.X64), 0, (byte)decision.Length));
            filter.AddRange(decision);
        }

        IEnumerable<Call> refused = [.. SyscallList.Programs, .. SyscallList.Processes, .. SyscallList.Kernel, .. SyscallList.Paths, .. SyscallList.Users, .. SyscallList.Shared];
        foreach (var call in refused.Concat(network ? SyscallList.Servers : SyscallList.Sockets).Concat(changesModes ? [] : SyscallList.Modes)) Refuse(call, NotPermitted);
        if (network)
        {
            Look(SyscallList.Socket, Argument(0), If(IfEqual, Internet, 3, 0), If(IfEqual, InternetV6, 2, 0), If(IfEqual, Routes, 1, 0), Do(Return, FamilyNotSupported), Do(Return, Allow));
        }
        else
        {
            Refuse(SyscallList.Socket, NotPermitted);
        }

        Refuse(SyscallList.Clone3, NoSuchCall); // its flags lie in memory, where no filter can look: the C library falls back on clone
        Look(SyscallList.Clone, Argument(0), If(IfAnyBit, ThreadFlag, 1, 0), Do(Return, NotPermitted), Do(Return, Allow));
        foreach (var call in SyscallList.Signals) Look(call, Argument(0), If(IfEqual, self, 1, 0), Do(Return, NotPermitted), Do(Return, Allow));
        foreach (var (call, requests) in SyscallList.FilesThatSignal)
        {
            // Each steps over those that are left and the permission, to the refusal.
            Look(call, [Argument(1), .. requests.Select((request, i) => If(IfEqual, request, (byte)(requests.Length - i), 0)), Do(Return, Allow), Do(Return, NotPermitted)]);
        }

        foreach (var call in SyscallList.OfItself) Look(call, Argument(0), If(IfEqual, 0, 2, 0), If(IfEqual, self, 1, 0), Do(Return, NotPermitted), Do(Return, Allow));
        Look(SyscallList.SetPriority, Argument(0), If(IfEqual, 0, 0, 2), Argument(1), If(IfEqual, 0, 1, 0), Do(Return, NotPermitted), Do(Return, Allow));
        filter.Add(Do(Return, Allow));
        return [.. filter];
    }

    private static SockFilter Argument(uint index) => Do(Load, OffsetArguments + index * ArgumentBytes); // the low half, on these processors

    private static SockFilter Do(ushort code, uint value) => new() { Code = code, Value = value };

    private static SockFilter If(ushort code, uint value, byte then, byte otherwise) => new() { Code = code, JumpTrue = then, JumpFalse = otherwise, Value = value };
}
