using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Cli.Tests;

/// <summary>That there is a newer program is said once a command, on stderr, without a command waiting for it.</summary>
public sealed class UpdateNoticeTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private string? _latest = "99.1.0";
    private bool _isSilent;
    private readonly CancellationTokenSource _end = new();

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Add("orders", Parquet.Number(1));
        _server.Intercept = async context =>
        {
            if (context.Request.Path != "/cli/latest") return false;
            context.Request.Headers.Authorization.Count.ShouldBe(0);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(_end.Token, context.RequestAborted);
            if (_isSilent) await Task.Delay(Timeout.Infinite, either.Token).ContinueWith(_ => Task.CompletedTask, TaskScheduler.Default);
            else await FakeServer.JsonAsync(context, 200, new JsonObject { ["version"] = null, ["cli_version"] = _latest, ["artifacts"] = new JsonArray() }.ToJsonString());
            return true;
        };
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
        _agnes.Environment["AGNES_NO_UPDATE_CHECK"] = "";
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _agnes.Dispose();
        await _server.DisposeAsync();
        _end.Dispose();
    }

    [Fact]
    public async Task A_newer_version_is_named_asked_for_once_a_day_and_not_at_all_when_switched_off()
    {
        var first = (await _agnes.RunAsync("pull", "--json")).ShouldSucceed();
        first.Error.ShouldStartWith("[update] agnes ");
        first.Error.ShouldContain("99.1.0");
        first.Json.GetProperty("tables_updated").GetInt32().ShouldBe(1);
        (await _agnes.RunAsync("pull")).ShouldSucceed().Error.ShouldContain("[update]");
        Asked().ShouldBe(1);
        var kept = JsonDocument.Parse(await File.ReadAllTextAsync(Cache)).RootElement;
        kept.EnumerateObject().Select(member => member.Name).ShouldBe(["installed", "server_url", "latest", "download_url", "checked_at"]);
        foreach (var arguments in (string[][])[["pull", "--quiet"], ["query", "FROM orders"], ["status"], ["explore", "orders"], ["--help"], ["pull", "--help"]])
        {
            (await _agnes.RunAsync(arguments)).ShouldSucceed().Error.ShouldNotContain("[update]", Case.Sensitive, string.Join(' ', arguments));
        }

        _agnes.Environment["AGNES_NO_UPDATE_CHECK"] = "True";
        (await _agnes.RunAsync("pull")).ShouldSucceed().Error.ShouldNotContain("[update]", Case.Sensitive);
        Asked().ShouldBe(1);
    }

    [Fact]
    public async Task A_cache_that_is_old_damaged_or_of_another_program_counts_for_nothing()
    {
        _latest = "0.0.1";
        foreach (var content in (string[])["{broken", "null", """{"installed":"0.0.1","server_url":"x","latest":"99.0.0","download_url":null,"checked_at":9999999999.5}""", $$"""{"installed":"x","server_url":"{{_server.Url}}","latest":"99.0.0","checked_at":1.0}"""])
        {
            await File.WriteAllTextAsync(Cache, content);
            (await _agnes.RunAsync("pull")).ShouldSucceed().Error.ShouldNotContain("[update]", Case.Sensitive);
        }

        Asked().ShouldBe(4);
    }

    [Fact]
    public async Task A_server_that_does_not_say_holds_nothing_up()
    {
        _isSilent = true;
        var started = TimeProvider.System.GetTimestamp();
        (await _agnes.RunAsync("pull")).ShouldSucceed().Error.ShouldNotContain("[update]", Case.Sensitive);
        // Whoever waits for an answer that does not come writes that down, after three seconds.
        if (TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(3)) File.Exists(Cache).ShouldBeFalse();
    }

    private string Cache => Path.Combine(_agnes.Config, "update_check.json");

    private int Asked() => _server.Requests.Count(request => request == "GET /cli/latest");
}
