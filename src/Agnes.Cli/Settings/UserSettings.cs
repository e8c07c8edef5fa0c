namespace Agnes.Cli.Settings;

/// <summary>Server and token by the order of precedence: address from environment, file, default; token from file, then environment.</summary>
internal sealed class UserSettings(ConfigFolder folder)
{
    public ConfigFolder Folder { get; } = folder;

    public ServerAddress Server() => ServerAddress.Parse(ConfiguredServer() ?? ServerAddress.Default);

    /// <summary>Null where neither environment nor file names a server.</summary>
    public string? ConfiguredServer()
    {
        var set = Environment.GetEnvironmentVariable("AGNES_SERVER");
        if (!string.IsNullOrWhiteSpace(set)) return set;
        return Stored();
    }

    /// <summary>The server that this user stored, whatever the environment names; null where there is none.</summary>
    public ServerAddress? StoredServer() => Stored() is { } stored ? ServerAddress.Parse(stored) : null;

    public string? Token() => TokenAndSource().Token;

    /// <summary>The file beats the variable, so that a forgotten export does not act as somebody else.</summary>
    public (string? Token, string Source) TokenAndSource()
    {
        if (StoredToken.Read(Folder) is { } stored) return (stored.AccessToken, Folder.TokenFile);
        var set = Environment.GetEnvironmentVariable("AGNES_TOKEN");
        return string.IsNullOrWhiteSpace(set) ? (null, "none") : (set.Trim(), "AGNES_TOKEN");
    }

    private string? Stored() => ConfigFile.Read(Folder.ConfigFile, "server") is { } stored && !string.IsNullOrWhiteSpace(stored) ? stored : null;

    public async Task SaveServerAsync(ServerAddress server, CancellationToken cancellation)
    {
        Folder.Create();
        await ConfigFile.SetAsync(Folder.ConfigFile, "server", server.Url, cancellation);
    }
}
