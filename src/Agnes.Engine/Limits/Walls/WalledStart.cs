using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Agnes.Engine.Limits.Walls;

/// <summary>
/// Starts a child from a thread that has closed itself before: what the kernel takes from a thread it takes from whatever the thread starts, before that runs its first
/// instruction. The thread ends with it. Nothing else of the server may be born on it, so that what the runtime makes at its first use is made ahead.
/// </summary>
public static class WalledStart
{
    /// <summary>What writes tables works behind what answers somebody: of a processor that both want it gets a quarter.</summary>
    private const int BehindStatements = 5;

    private static readonly Lazy<bool> MadeAhead = new(MakeAhead);

    /// <summary>The walls that a child of that program gets.</summary>
    public static KernelWalls Of(WorkerProgram program)
    {
        var here = KernelWalls.Here;
        return here.OwnUser is true && !OthersMayRun(program.File) ? here with { OwnUser = false } : here;
    }

    /// <exception cref="WallException">A wall that is required is not there, or could not be put up.</exception>
    internal static Process Start(WorkerProgram program, ProcessStartInfo info, Reach reach)
    {
        if (program.Walls == WallMode.Off) return Begin(info);
        var walls = Of(program);
        RefuseWithout(program);
        if (!LinuxCalls.IsKnown) return Begin(info);
        if (walls is { Seccomp: true, NoNewPrivileges: true } && reach.Runs.Count == 0) info.Environment[SyscallFilter.Variable] = SyscallFilter.WordsFor(reach);
        _ = MadeAhead.Value;
        return StartClosed(program, info, reach, walls);
    }

    /// <exception cref="WallException">One that is required is not there.</exception>
    public static void RefuseWithout(WorkerProgram program)
    {
        if (program.Walls == WallMode.Required && program.MissingWalls is { Count: > 0 } missing)
            throw new WallException($"AGNES_WALLS=required, and this system does not offer: {string.Join(", ", missing)}. Run it where it does, or with what there is: AGNES_WALLS=available");
    }

    private static Process StartClosed(WorkerProgram program, ProcessStartInfo info, Reach reach, KernelWalls walls)
    {
        uint? user = walls.OwnUser is true && LinuxCalls.TryChown(info.WorkingDirectory, KernelWalls.ChildUser) ? KernelWalls.ChildUser : null;
        if (user is null && walls.OwnUser is true && program.Walls == WallMode.Required) throw new WallException($"AGNES_WALLS=required, and {info.WorkingDirectory} cannot be given to the child's own user.");
        var ruleset = walls is { Landlock: > 0, NoNewPrivileges: true } ? Landlock.Build(walls.Landlock, program.File, info.WorkingDirectory, reach) : -1;
        try
        {
            Process? started = null;
            Exception? fault = null;
            var closed = new Thread(() =>
            {
                try
                {
                    if (reach.Writes.Count > 0) LinuxCalls.TryLowerPriority(BehindStatements);
                    ChildRights.Drop(user, reach.Writes.Count > 0);
                    if (walls.NoNewPrivileges) LinuxCalls.Prctl(LinuxCalls.SetNoNewPrivileges, 1);
                    if (ruleset >= 0) LinuxCalls.Restrict(ruleset);
                    started = Begin(info);
                }
                catch (Exception error) when (error is not OutOfMemoryException) // told by the thread that waits; here it would end the server
                {
                    fault = error;
                }
            });
            (closed.IsBackground, closed.Name) = (true, "closed start");
            closed.Start();
            closed.Join();
            return started ?? throw new WallException($"{program.File} could not be started inside its walls: {fault?.Message} If this system cannot have them: AGNES_WALLS=off");
        }
        finally
        {
            if (ruleset >= 0) _ = Libc.Close(ruleset);
            LinuxCalls.RestoreDumpable();
        }
    }

    /// <summary>With nothing open but its pipes, which the start itself makes and gives.</summary>
    private static Process Begin(ProcessStartInfo info)
    {
        if (LinuxCalls.IsKnown) LinuxCalls.CloseOnExec();
        return Process.Start(info) ?? throw new InvalidOperationException($"{info.FileName} could not be started.");
    }

    /// <summary>The thread that hears of ended children, and the assemblies that a start needs.</summary>
    private static bool MakeAhead()
    {
        if (OperatingSystem.IsWindows()) return false;
        using (PosixSignalRegistration.Create(PosixSignal.SIGCONT, static _ => { }))
        {
            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(System.IO.Pipes.AnonymousPipeClientStream).TypeHandle);
            System.Runtime.CompilerServices.RuntimeHelpers.RunClassConstructor(typeof(Process).TypeHandle);
        }

        return true;
    }

    private static bool OthersMayRun(string file) => !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & UnixFileMode.OtherExecute) != UnixFileMode.None;
}
