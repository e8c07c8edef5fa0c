namespace Agnes.Engine.Query;

/// <summary>What one statement may take. Memory, threads and temporary space are the worker's fixed share, not the statement's.</summary>
/// <param name="Time">From leaving the queue to the last byte made; interrupted then, and killed a quarter of a second later.</param>
/// <param name="Wait">How long it may stand in the queue before it is refused as busy.</param>
/// <param name="ResultBytes">The body may not be longer.</param>
/// <param name="PerCaller">Statements of one caller that may run or wait at once.</param>
public sealed record StatementLimits(TimeSpan Time, TimeSpan Wait, long ResultBytes, int PerCaller)
{
    public const long ResultBytesDefault = 256L << 20;
    public const int PerCallerDefault = 5;

    /// <summary>A statement's text may not be longer, in UTF-8.</summary>
    public const int SqlBytesMax = 1 << 20;

    /// <summary>What another system may have to read for one question; from the contract of remote tables (5 GiB).</summary>
    public long RemoteScanBytes { get; init; } = 5L << 30;

    /// <summary>On whose account other systems are asked; null: on nobody's.</summary>
    public Remote.IRemoteBudget? Budget { get; init; }

    public static readonly TimeSpan TimeDefault = TimeSpan.FromSeconds(120);
    public static readonly TimeSpan WaitDefault = TimeSpan.FromSeconds(30);

    public static readonly StatementLimits Default = new(TimeDefault, WaitDefault, ResultBytesDefault, PerCallerDefault);
}
