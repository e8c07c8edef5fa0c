using Microsoft.Extensions.Logging;

namespace Agnes.Engine.Tests.Query;

/// <summary>Puts what is logged into the output of the test.</summary>
internal sealed class TestLog<T>(ITestOutputHelper output) : ILogger<T>
{
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        output.WriteLine($"{DateTime.UtcNow:mm:ss.fff} {logLevel}: {formatter(state, exception)} {exception}");
}
