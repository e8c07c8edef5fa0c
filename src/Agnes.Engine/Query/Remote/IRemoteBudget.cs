namespace Agnes.Engine.Query.Remote;

/// <summary>What one statement may ask of other systems on its asker's account. Where there is none, nobody counts.</summary>
public interface IRemoteBudget
{
    /// <summary>Before the first thing is asked, be it what an answer would cost.</summary>
    /// <returns>What is used up; null: it may be asked.</returns>
    ValueTask<QuotaExceeded?> OpenAsync(CancellationToken cancellation);

    /// <summary>Before a question is asked: it counts from now on, whatever becomes of it and of this process.</summary>
    /// <returns>What is used up; null: it may be asked, and counts.</returns>
    ValueTask<QuotaExceeded?> SpendAsync(RemoteCharge charge, CancellationToken cancellation);

    /// <summary>The system answered that it failed, for which none takes money: the question does not count.</summary>
    ValueTask RefundAsync(RemoteCharge charge);
}

/// <summary>A question, as it is counted.</summary>
/// <param name="Connection">Who is asked.</param>
/// <param name="Bytes">That the system says it reads for it; 0 where it does not say.</param>
/// <param name="IsMetered">Whoever runs the server pays by these bytes.</param>
public sealed record RemoteCharge(string Connection, long Bytes, bool IsMetered);

/// <summary>Somebody has had what one may have.</summary>
/// <param name="Kind"><c>concurrent_scans</c>, <c>daily_bytes</c>, <c>daily_statements</c> or <c>daily_cost_usd</c>.</param>
/// <param name="Current">What was used, in what the kind counts: statements, bytes, US dollars.</param>
/// <param name="RetryAfter">When it is worth another try; zero: as soon as a statement has ended.</param>
public sealed record QuotaExceeded(string Kind, double Current, double Limit, TimeSpan RetryAfter)
{
    public const string AtOnce = "concurrent_scans";
    public const string DailyBytes = "daily_bytes";
    public const string DailyStatements = "daily_statements";
    public const string DailyCost = "daily_cost_usd";

    /// <summary>For whoever reads a sentence.</summary>
    public string Message => Kind == AtOnce
        ? $"You have {Current:0} statements at other systems already. Wait for one of them to end."
        : $"Your {Kind} of today are used up ({Current:0.####} of {Limit:0.####}). They start anew at midnight UTC.";
}
