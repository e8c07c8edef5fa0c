namespace Agnes.Server.Platform.State;

/// <summary>
/// By what right the running request writes. It goes with the request through everything that it awaits, and is asked again in the transaction before each of its writes: what was let
/// through when its head came may have waited long for its body, or for others.
/// </summary>
/// <param name="refusal">What the request would be answered if it came now, with that state; null: it would be let through.</param>
/// <param name="newest">The state as this process knows it.</param>
internal sealed class WriteRight(Func<Snapshot, Exception?> refusal, Func<Snapshot> newest)
{
    private static readonly AsyncLocal<WriteRight?> OfRequest = new();

    /// <summary>Null outside of requests of somebody known: jobs, timers, commands, guests.</summary>
    public static WriteRight? Current
    {
        get => OfRequest.Value;
        set => OfRequest.Value = value;
    }

    /// <summary>For what is no state, such as a file: to be asked right before it takes its place.</summary>
    /// <exception cref="Exception">The right is gone.</exception>
    public static void Demand()
    {
        if (Current is { } right && right.RefusalNow() is { } refusal) throw refusal;
    }

    /// <summary>Asks a last time, for a change of several parts that has to be made whole and told of: what its method does from here on is not asked about.</summary>
    /// <exception cref="Exception">The right is gone.</exception>
    public static void Settle()
    {
        Demand();
        Current = null;
    }

    public Exception? Refusal(Snapshot now) => refusal(now);

    private Exception? RefusalNow() => refusal(newest());
}
