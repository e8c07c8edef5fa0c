using System.Text.Json.Nodes;
using Agnes.Server.Platform.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Agnes.Server.Tests.Http;

public sealed class LogLinesTests
{
    [Fact]
    public void A_line_is_one_json_object_without_secrets()
    {
        var scopes = new LoggerExternalScopeProvider();
        using var scope = scopes.Push(new KeyValuePair<string, object?>[] { new("RequestId", "abc123"), new("RequestPath", "/x") });
        using var written = new StringWriter();
        var failure = new InvalidOperationException("cannot open Host=db;Password=hunter2");
        new LogLines(TimeProvider.System).Write(
            new LogEntry<string>(LogLevel.Error, "Agnes.Test", 1, "said\n\"Bearer hunter2hunter2\"", failure, (text, _) => text), scopes, written);
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
}
