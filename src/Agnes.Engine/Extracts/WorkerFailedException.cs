namespace Agnes.Engine.Extracts;

/// <summary>The worker ended without a result: it crashed, was killed, or ran out of memory.</summary>
public class WorkerFailedException(string message) : Exception(message);

/// <summary>The worker was ended by a signal.</summary>
public sealed class WorkerCrashedException(string message, int exitCode) : WorkerFailedException(message)
{
    private const int SignalBase = 128;
    private static readonly int[] OwnDoing = [4, 6, 7, 8, 11]; // illegal instruction, abort, bus error, arithmetic, segmentation fault

    /// <summary>True where the process did it to itself; false for a kill from outside, as by the system when memory runs out.</summary>
    public bool IsOwnDoing => OwnDoing.Contains(exitCode - SignalBase);
}
