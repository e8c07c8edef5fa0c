using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;
using Agnes.Server.Tests.Serving;
using Agnes.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Server.Tests.Http;

public sealed class LogLinesTests(Postgres postgres)
{
    [Fact]
    public async Task What_a_request_logs_carries_the_id_that_its_answer_has()
    {
        using var lines = new Lines();
        await using var server = await TestServer.StartAsync(StateEngine.DuckDb, postgres, adjust: services =>
        {
            services.AddSingleton<ILoggerProvider>(lines);
            services.Configure<LoggerFilterOptions>(filter => filter.MinLevel = LogLevel.Error);
        }, map: Probes.Map);
        var answer = await server.SendAsync("GET", "/api/broken", change: request => request.Headers.Add("X-Request-ID", "find-me"));
        answer.Status.ShouldBe(500);
        lines.Written.ShouldContain(line => line.Contains("\"request_id\":\"find-me\"", StringComparison.Ordinal) && line.Contains("/api/broken", StringComparison.Ordinal));
        lines.Written.ShouldAllBe(line => !line.Contains("hunter2", StringComparison.Ordinal));
    }

    [Fact]
    public void A_line_is_one_json_object_without_secrets()
    {
        LogLines.RequestId.Value = "abc123";
        using var written = new StringWriter();
        var failure = new InvalidOperationException("cannot open Host=db;Password=hunter2");
        new LogLines(TimeProvider.System).Write(
            new LogEntry<string>(LogLevel.Error, "Agnes.Test", 1, "said\n\"Bearer hunter2hunter2\"", failure, (text, _) => text), null, written);
        var text = written.ToString();
        text.TrimEnd().ShouldNotContain('\n');
        text.ShouldNotContain("hunter2");
        var line = JsonNode.Parse(text)!;
        line["lvl"]!.GetValue<string>().ShouldBe("ERROR");
        line["logger"]!.GetValue<string>().ShouldBe("Agnes.Test");
        line["service"]!.GetValue<string>().ShouldBe("app");
        line["request_id"]!.GetValue<string>().ShouldBe("abc123");
        line["msg"]!.GetValue<string>().ShouldStartWith("said\n");
        line["exc"]!.GetValue<string>().ShouldContain("InvalidOperationException");
    }

    [Fact]
    public void A_very_long_message_is_cut()
    {
        using var written = new StringWriter();
        new LogLines(TimeProvider.System).Write(new LogEntry<string>(LogLevel.Information, "x", 1, new string('a', 1_000_000), null, (text, _) => text), null, written);
        written.ToString().Length.ShouldBeLessThan(20_000);
    }

    /// <summary>Keeps what the formatter makes of each entry.</summary>
    private sealed class Lines : ILoggerProvider
    {
        private readonly LogLines _formatter = new(TimeProvider.System);

        public ConcurrentBag<string> Written { get; } = [];

        public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

        public void Dispose() => Written.Clear();

        private sealed class Logger(Lines lines, string category) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            {
                using var text = new StringWriter();
                lines._formatter.Write(new LogEntry<TState>(logLevel, category, eventId, state, exception, formatter), null, text);
                lines.Written.Add(text.ToString());
            }
        }
    }
}
