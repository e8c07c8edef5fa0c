using Agnes.Server.Platform.Config;

namespace Agnes.Server.Tests.Http;

public sealed class OptionsTests
{
    [Fact]
    public void Without_anything_the_server_listens_on_this_machine_and_keeps_its_data_beside_it()
    {
        var options = Read([]);
        options.Urls.ShouldBe("http://localhost:8000");
        options.DataDir.ShouldBe(Path.GetFullPath("data"));
        options.StateDir.ShouldBe(Path.GetFullPath("data/state"));
        options.HomeRoute.ShouldBe("/dashboard");
        (options.Role, options.Demo, options.Debug, options.RateLimits, options.StateUrl).ShouldBe((Role.All, false, false, true, null));
    }

    [Fact]
    public void Arguments_go_before_the_environment()
    {
        var options = Read(["--data-dir", "/srv/a", "--urls=http://127.0.0.1:1", "--demo"], ("DATA_DIR", "/srv/b"), ("ASPNETCORE_URLS", "http://127.0.0.1:2"), ("AGNES_AUTH_RATELIMIT_ENABLED", "off"));
        (options.DataDir, options.StateDir, options.Urls, options.Demo, options.RateLimits).ShouldBe(("/srv/a", "/srv/a/state", "http://127.0.0.1:1", true, false));
    }

    [Theory]
    [InlineData("--nonsense", "AGNES_X", "1", "Unknown argument '--nonsense'")]
    [InlineData("--data-dir", "AGNES_X", "1", "--data-dir needs a value")]
    [InlineData("--demo", "AGNES_ROLE", "web", "needs PostgreSQL")]
    [InlineData("--demo", "AGNES_ROLE", "1", "AGNES_ROLE")]
    [InlineData("--demo", "AGNES_ROLE", "scheduler", "opens no state")]
    [InlineData("--demo", "SCHEDULER_DATA_REFRESH_INTERVAL", "0", "SCHEDULER_DATA_REFRESH_INTERVAL")]
    [InlineData("--demo", "AGNES_TRUSTED_PROXIES", "proxy", "AGNES_TRUSTED_PROXIES")]
    [InlineData("--demo", "SERVER_URL", "data.example.com", "SERVER_URL")]
    [InlineData("--demo", "AGNES_API_RATE", "fast", "AGNES_API_RATE")]
    [InlineData("--demo", "AGNES_KEEP_AUDIT_DAYS", "0", "AGNES_KEEP_AUDIT_DAYS")]
    [InlineData("--demo", "AGNES_NETWORK_CONNECTIONS_MAX", "1", "AGNES_NETWORK_CONNECTIONS_MAX")]
    [InlineData("--demo", "AGNES_DISK_RESERVE", "lots", "AGNES_DISK_RESERVE")]
    [InlineData("--demo", "ASPNETCORE_URLS", "ftp://localhost", "'ftp://localhost' is no address")]
    [InlineData("--demo", "ASPNETCORE_URLS", "http://localhost:1;localhost", "'localhost' is no address")]
    [InlineData("--demo", "ASPNETCORE_URLS", "http://localhost:99999", "port up to 65535")]
    public void What_cannot_be_started_with_is_said_in_words(string argument, string name, string value, string said) =>
        Should.Throw<OptionsException>(() => Read([argument], (name, value))).Message.ShouldContain(said);

    [Theory]
    [InlineData("http://*:8000")]
    [InlineData("http://+:80;https://[::1]:0")]
    [InlineData("http://unix:/run/agnes.sock")]
    public void Every_address_that_the_listener_understands_is_taken(string urls) => Read(["--urls", urls]).Urls.ShouldBe(urls);

    [Theory]
    [InlineData("/catalog?q=a", true)]
    [InlineData("/", true)]
    [InlineData("//evil", false)]
    [InlineData("/\\evil", false)]
    [InlineData("/\t/evil", false)]
    [InlineData("https://evil", false)]
    [InlineData("evil", false)]
    [InlineData("", false)]
    [InlineData(null, false)]
    public void Only_paths_of_this_server_are_gone_on_to(string? path, bool accepted) => LocalPath.Accept(path).ShouldBe(accepted ? path : null);

    private static ServerOptions Read(string[] arguments, params (string Name, string Value)[] environment) =>
        ServerOptions.From(arguments, name => environment.FirstOrDefault(pair => pair.Name == name).Value);
}
