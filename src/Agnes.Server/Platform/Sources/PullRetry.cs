using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Agnes.Server.Platform.Sources;

/// <summary>When a table whose pull failed is tried again by a schedule.</summary>
internal static class PullRetry
{
    /// <summary>As far as the waits go, but for tables that are due at longer intervals and say so.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromHours(6);

    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(5);
    private const int DoublingsMax = 20;

    /// <summary>Each way, as a share of the wait.</summary>
    private const double SpreadMax = 0.2;

    /// <summary>Twice as long after each failure, and never longer than the table waits when it is well; a little more or less for each.</summary>
    /// <param name="failures">In a row, from 1 on.</param>
    public static TimeSpan After(string table, int failures, string? schedule)
    {
        var longest = SyncSchedule.TryParse(schedule, out var parsed) && parsed.Interval is { } interval ? interval : Longest;
        var wait = FirstWait * Math.Pow(2, Math.Min(failures - 1, DoublingsMax));
        if (wait > longest) wait = longest;
        return wait * (1 + (SpreadMax * ((2 * Share($"{table}\n{failures}")) - 1)));
    }

    /// <summary>From 0 up to 1, the same for the same text in every process and after every start.</summary>
    internal static double Share(string text) => BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text))) / (uint.MaxValue + 1.0);
}

/// <summary>
/// How much later than it is due a connection is pulled, so that not all begin in one second. It is a delay within one look and nothing
/// else: the pull counts as of the time at which it was due, so that no later one moves.
/// </summary>
internal static class StartSpread
{
    private const double ShareMax = 0.05;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <param name="interval">Null: none that says how often.</param>
    public static TimeSpan Of(string connection, TimeSpan? interval)
    {
        var most = interval is { } every ? every * ShareMax : TimeSpan.Zero;
        return (most < Longest ? most : Longest) * PullRetry.Share(connection);
    }
}
