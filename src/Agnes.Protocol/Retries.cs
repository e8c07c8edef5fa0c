using Polly;
using Polly.Retry;

namespace Agnes.Protocol;

/// <summary>How what failed for now is tried again, on the server as on laptops: after pauses that grow and are never the same for two, so that many do not come back at once.</summary>
public static class Retries
{
    /// <param name="countMax">Tries after the first; 0: none.</param>
    /// <param name="pause">About so long before the second try, twice as long before each further one.</param>
    /// <param name="isForNow">Whether another try may mend it. What the caller gave up is never tried again.</param>
    /// <param name="asked">How long the other side asked to be left alone, which then is the pause; null: it did not say.</param>
    public static ResiliencePipeline After(
        int countMax, TimeSpan pause, TimeSpan pauseMax, TimeProvider time, Func<Exception, bool> isForNow,
        Func<Exception, TimeSpan?>? asked = null) => countMax == 0
        ? ResiliencePipeline.Empty
        : new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = countMax,
            Delay = pause,
            MaxDelay = pauseMax,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            DelayGenerator = asked is null ? null : arguments =>
                ValueTask.FromResult(arguments.Outcome.Exception is { } fault ? asked(fault) : null),
            ShouldHandle = arguments => ValueTask.FromResult(arguments is { Outcome.Exception: { } fault, Context.CancellationToken.IsCancellationRequested: false } && isForNow(fault)),
        }).Build();
}
