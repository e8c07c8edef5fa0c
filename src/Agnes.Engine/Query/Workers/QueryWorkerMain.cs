namespace Agnes.Engine.Query.Workers;

/// <summary>The body of <c>agnes-server query-worker</c>.</summary>
public static class QueryWorkerMain
{
    /// <summary>Serves statements until the other end closes.</summary>
    /// <returns>The exit code.</returns>
    public static Task<int> RunAsync(Stream input, Stream output, CancellationToken cancellation) => Task.FromResult(0);
}
