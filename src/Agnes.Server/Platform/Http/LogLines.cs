using System.Text.Encodings.Web;
using System.Text.Json;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;
using Microsoft.Extensions.Options;

namespace Agnes.Server.Platform.Http;

/// <summary>One JSON object a line on stderr, redacted. The only way a log leaves the process.</summary>
internal sealed class LogLines(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    public const string FormatterName = "agnes";

    /// <summary>Of the request being answered. The host's own logging scope takes the id before we can clean the caller's.</summary>
    public static readonly AsyncLocal<string?> RequestId = new();

    private const int MessageCharsMax = 16_384;
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line, Options))
        {
            json.WriteStartObject();
            json.WriteString("ts", time.GetUtcNow().UtcDateTime.ToString("O"));
            json.WriteString("lvl", Level(logEntry.LogLevel));
            json.WriteString("logger", logEntry.Category);
            json.WriteString("service", "app");
            json.WriteString("msg", Redactor.Redact(Cut(logEntry.Formatter(logEntry.State, logEntry.Exception))));
            if (RequestId.Value is { } id) json.WriteString("request_id", id);
            if (logEntry.Exception is { } exception) json.WriteString("exc", Redactor.Redact(Cut(exception.ToString())));
            json.WriteEndObject();
        }

        textWriter.WriteLine(System.Text.Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length));
    }

    public static void AddTo(ILoggingBuilder logging, LogLevel atLeast)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(atLeast);
        logging.AddConsole(console =>
        {
            console.FormatterName = FormatterName;
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
        logging.AddConsoleFormatter<LogLines, ConsoleFormatterOptions>();
        logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        // What guests do to connections would be a line for each, theirs to fill the log with; faults of ours are logged where requests end.
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Critical);
        logging.AddFilter("System.Net.Http", LogLevel.Warning);
        logging.Services.Configure<LoggerFactoryOptions>(factory => factory.ActivityTrackingOptions = ActivityTrackingOptions.None);
    }

    private static string Cut(string text) => text.Length <= MessageCharsMax ? text : text[..MessageCharsMax];

    private static string Level(LogLevel level) => level switch
    {
        LogLevel.Warning => "WARNING",
        LogLevel.Error => "ERROR",
        LogLevel.Critical => "CRITICAL",
        LogLevel.Information => "INFO",
        _ => "DEBUG",
    };
}
