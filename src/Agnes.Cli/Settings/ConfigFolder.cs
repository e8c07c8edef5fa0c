using Agnes.Protocol;

namespace Agnes.Cli.Settings;

/// <summary>The user's own folder (<c>~/.config/agnes</c> on every system): server, token, error log.</summary>
internal sealed class ConfigFolder(string path)
{
    public string Path { get; } = path;

    public string ConfigFile => System.IO.Path.Combine(Path, "config.yaml");

    public string TokenFile => System.IO.Path.Combine(Path, "token.json");

    public string LegacySyncState => System.IO.Path.Combine(Path, "sync_state.json");

    public string LastErrorLog => System.IO.Path.Combine(Path, "last-error.log");

    public static string DefaultPath()
    {
        var set = Environment.GetEnvironmentVariable("AGNES_CONFIG_DIR");
        if (!string.IsNullOrWhiteSpace(set)) return System.IO.Path.GetFullPath(set);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile, Environment.SpecialFolderOption.DoNotVerify);
        return System.IO.Path.Combine(home, ".config", "agnes");
    }

    /// <summary>Readable by its owner only: it holds a token.</summary>
    /// <exception cref="CliException">It is another user's, and others can open it.</exception>
    public void Create()
    {
        try
        {
            OwnerOnly.Close(Path);
        }
        catch (UnauthorizedAccessException problem)
        {
            throw new CliException($"{Path} cannot be closed to other users: {problem.Message}", ExitCode.Failed, problem) { Hint = "It is to hold your token. Choose a folder of your own: AGNES_CONFIG_DIR=~/.config/agnes" };
        }
    }
}
