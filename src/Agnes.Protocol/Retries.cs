using Polly;
using Polly.Retry;

namespace Agnes.Protocol;

/// <summary>How what failed for now is tried again, on the server as on laptops: after pauses that grow and are never the same for two, so that many do not come back at once.</summary>
public static class Retries
{
    /// <param name="countMax">Tries after the first; 0: none.</param>
    /// <param name="pause">About so long before the second try, twice as long before each further one.</param>
    /// <param name="isForNow">Whether another try may mend it. What the caller gave up is never tried again.</param>
    public static ResiliencePipeline After(int countMax, TimeSpan pause, TimeSpan pauseMax, TimeProvider time, Func<Exception, bool> isForNow) => countMax == 0
        ? ResiliencePipeline.Empty
        : new ResiliencePipelineBuilder { TimeProvider = time }.AddRetry(new RetryStrategyOptions
        {
            MaxRetryAttempts = countMax,
            Delay = pause,
            MaxDelay = pauseMax,
            BackoffType = DelayBackoffType.Exponential,
            UseJitter = true,
            ShouldHandle = arguments => ValueTask.FromResult(arguments is { Outcome.Exception: { } fault, Context.CancellationToken.IsCancellationRequested: false } && isForNow(fault)),
        }).Build();
}
