using Agnes.EndToEnd.Fixtures;
using Agnes.Testing;

namespace Agnes.EndToEnd.Spine;

/// <summary>A workspace of one person with the real <c>agnes</c>.</summary>
internal sealed class Laptop(string url, string token) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public string Workspace => _folder["workspace"];

    public string ConfigFolder => _folder["config"];

    /// <summary>A program that runs ours, with its arguments.</summary>
    public string[] Before { get; init; } = [];

    /// <summary>Variables besides those that every workspace has.</summary>
    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    public Task<Ended> InitAsync() => RunAsync("init", "--server-url", url, "--token", token, "--workspace", Workspace);

    public Task<Ended> RunAsync(params string[] arguments)
    {
        Directory.CreateDirectory(Workspace);
        var environment = new Dictionary<string, string>(Environment, StringComparer.Ordinal)
        {
            ["AGNES_CONFIG_DIR"] = ConfigFolder,
            ["AGNES_LOCAL_DIR"] = Workspace,
            ["AGNES_SERVER"] = url,
            ["AGNES_TOKEN"] = token,
            ["AGNES_NO_UPDATE_CHECK"] = "1",
        };
        return Processes.RunAsync([.. Before, Processes.Program("agnes"), .. arguments], environment, Workspace, stop: TestContext.Current.CancellationToken);
    }

    public void Dispose() => _folder.Dispose();
}
