namespace Agnes.Cli.Tests.Walls;

/// <summary>Another service at the server's address, or one between, answers JSON of its own: each command says so in a line, and none fails like a defect.</summary>
public sealed class WrongAnswerTests : IAsyncLifetime
{
    private FakeServer _server = null!;
    private AgnesProgram _agnes = null!;
    private string _answer = "";

    public async ValueTask InitializeAsync()
    {
        _server = await FakeServer.StartAsync();
        _server.Intercept = async context =>
        {
            await FakeServer.JsonAsync(context, 200, _answer);
            return true;
        };
        _agnes = new AgnesProgram(_server.Url);
        _agnes.SignIn();
    }

    public async ValueTask DisposeAsync()
    {
        _agnes.Dispose();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("""{"tables":[null],"queries":[null],"columns":[null],"rows":[null],"parameters":null}""")]
    [InlineData("""{"tables":[{}],"queries":[{}],"columns":[{}],"rows":[{}]}""")]
    public async Task An_answer_that_is_none_of_ours_is_an_error_in_words(string answer)
    {
        _answer = answer;
        foreach (var command in (string[])["catalog", "catalog --metrics", "schema orders", "describe orders", "pull", "verified list", "verified show x", "snapshot create orders --as s", "self-upgrade", "admin list-users", "admin list-groups"])
        {
            var outcome = await _agnes.RunAsync(command.Split(' '));
            outcome.Error.ShouldNotContain("Exception", Case.Sensitive, command);
        }

        if (answer == "{}") (await _agnes.RunAsync("catalog")).ShouldFail(1).Error.ShouldContain("The server's answer is not what it should be: 'tables' is missing");
    }
}
