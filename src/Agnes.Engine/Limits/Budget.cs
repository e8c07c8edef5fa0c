using System.Globalization;

namespace Agnes.Engine.Limits;

/// <summary>What one engine instance may use; fixed when the instance is made, since a locked instance cannot change its limits.</summary>
public sealed record Share(long MemoryBytes, int Threads, long TempBytes);

/// <summary>One budget dealt in fixed shares. No connection sets its own limits.</summary>
/// <param name="State">Of the state, where it is a file of ours.</param>
/// <param name="Jobs">Of the one child that extracts from the disk.</param>
/// <param name="Publishing">Of the one child that prepares what others extracted, writes views, or puts parts together.</param>
/// <param name="Query">Of each of the <see cref="QueryWorkers"/>.</param>
public sealed record Budget(long TotalBytes, Share State, Share Jobs, Share Publishing, Share Query, int QueryWorkers)
{
    /// <summary>Of each of the <see cref="RemoteBrokers"/>: resident, the runtime included.</summary>
    public required Share Remote { get; init; }

    /// <summary>Connections to other systems that are asked at once.</summary>
    public required int RemoteBrokers { get; init; }

    /// <summary>Of each of the <see cref="NetworkChildren"/>: they deal the share of jobs among them.</summary>
    public required Share Network { get; init; }

    /// <summary>Children that extract from servers elsewhere at once: one that hangs holds up no other.</summary>
    public required int NetworkChildren { get; init; }

    public const long TotalBytesMin = 512L << 20;
    private const long TotalBytesDefaultMax = 8L << 30;
    private const long StateBytesMin = 64L << 20;
    private const long StateBytesMax = 1L << 30;
    private const long QueryBytesMin = 128L << 20;
    private const int QueryWorkersMax = 8;
    private const long RemoteBytes = 256L << 20;
    private const int RemoteBrokersMax = 8;

    /// <summary>Where the whole is less, the one connection that is asked comes on top: its part would leave one query worker.</summary>
    private const long RemoteCountedFrom = 2L << 30;

    /// <summary>What a thread that reads text takes beside what the engine counts: two of them doubled what a child had in all, and failed where one did not.</summary>
    private const long JobThreadBytesMin = 256L << 20;

    private const long TempFactor = 4;
    private const long NetworkBytes = 512L << 20;
    private const long NetworkBytesMin = 128L << 20;
    private const int NetworkChildrenMin = 2;
    private const int NetworkChildrenMax = 4;

    /// <summary>From <c>AGNES_MEMORY</c> (<c>4GiB</c>, <c>512MB</c>, bytes); unset means half of the machine's memory, at most 8 GiB.</summary>
    /// <exception cref="FormatException">The text is no amount, or too little to work with.</exception>
    public static Budget FromEnvironment(string? memory, int processors)
    {
        if (!string.IsNullOrWhiteSpace(memory)) return FromTotal(ParseBytes(memory), processors);
        var physical = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes; // respects a container's limit
        return FromTotal(Math.Max(TotalBytesMin, Math.Min(physical / 2, TotalBytesDefaultMax)), processors);
    }

    /// <summary>
    /// An eighth for state, a quarter for extracting, an eighth for publishing (one child at a time each), half for query workers. What
    /// waits for servers elsewhere has another quarter's worth beside what reads the disk: it waits most of the time. Of the
    /// half an eighth goes to what asks other systems, and to one of them at least.
    /// </summary>
    public static Budget FromTotal(long total, int processors)
    {
        if (total < TotalBytesMin) throw new FormatException($"AGNES_MEMORY must be at least {TotalBytesMin >> 20} MiB.");
        var state = Math.Clamp(total / 8, StateBytesMin, StateBytesMax);
        var brokers = (int)Math.Clamp(total / 16 / RemoteBytes, 1, RemoteBrokersMax);
        var query = total / 2 - (total < RemoteCountedFrom ? 0 : brokers * RemoteBytes);
        var publishing = total / 8;
        var jobs = total - state - total / 2 - publishing;
        var children = (int)Math.Clamp(jobs / NetworkBytes, NetworkChildrenMin, NetworkChildrenMax);
        var network = Math.Max(jobs / children, NetworkBytesMin);
        var workers = (int)Math.Clamp(Math.Min(processors * 2L, query / QueryBytesMin), 1, QueryWorkersMax);
        return new Budget(
            total,
            new Share(state, Math.Min(processors, 4), state * TempFactor),
            new Share(jobs, (int)Math.Clamp(jobs / JobThreadBytesMin, 1, processors), jobs * TempFactor),
            new Share(publishing, processors, publishing * TempFactor),
            new Share(query / workers, processors, query / workers * TempFactor),
            workers)
        {
            Network = new Share(network, (int)Math.Clamp(network / JobThreadBytesMin, 1, processors), network * TempFactor),
            NetworkChildren = children,
            Remote = new Share(RemoteBytes, 1, RemoteBytes * TempFactor),
            RemoteBrokers = brokers,
        };
    }

    public static long ParseBytes(string text)
    {
        var trimmed = text.Trim();
        var digits = trimmed.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        long? unit = trimmed[digits..].Trim().ToUpperInvariant() switch
        {
            "" or "B" => 1,
            "K" or "KIB" => 1L << 10,
            "KB" => 1000,
            "M" or "MIB" => 1L << 20,
            "MB" => 1_000_000,
            "G" or "GIB" => 1L << 30,
            "GB" => 1_000_000_000,
            "T" or "TIB" => 1L << 40,
            "TB" => 1_000_000_000_000,
            _ => null,
        };
        if (unit is null || !double.TryParse(trimmed[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number * unit.Value is not (> 0 and < 1e18))
            throw new FormatException($"'{text}' is no amount of memory; write for example 4GiB.");
        return (long)(number * unit.Value);
    }
}
