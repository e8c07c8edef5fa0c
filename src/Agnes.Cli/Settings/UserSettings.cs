namespace Agnes.Cli.Settings;

/// <summary>
/// Server and token by the order of precedence: address from environment, file, default; token from file, then environment. Whoever can set a variable for
/// this program (a workspace's settings of the agent can) can name a server, and must not thereby get the token of another one.
/// </summary>
internal sealed class UserSettings(ConfigFolder folder)
{
    private const string ServerVariable = "AGNES_SERVER";
    private const string TokenVariable = "AGNES_TOKEN";

    public ConfigFolder Folder { get; } = folder;

    public ServerAddress Server() => ServerAddress.Parse(ConfiguredServer() ?? ServerAddress.Default);

    /// <summary>Null where neither environment nor file names a server.</summary>
    public string? ConfiguredServer()
    {
        var set = Environment.GetEnvironmentVariable(ServerVariable);
        return string.IsNullOrWhiteSpace(set) ? ServerOfFile() : set;
    }

    /// <summary>The server that this user stored, whatever the environment names; null where there is none.</summary>
    public ServerAddress? StoredServer() => ServerOfFile() is { } stored ? ServerAddress.Parse(stored) : null;

    public string? Token() => TokenAndSource().Token;

    /// <summary>
    /// For <see cref="Server"/>. The file beats the variable, so that a forgotten export does not act as somebody else; but what is stored goes only to the server
    /// that it was stored for.
    /// </summary>
    /// <exception cref="CliException">The stored token is another server's, and there is no other.</exception>
    public (string? Token, string Source) TokenAndSource()
    {
        var set = Environment.GetEnvironmentVariable(TokenVariable);
        if (Stored() is { } stored)
        {
            var server = Server();
            if (stored.IsFor(server)) return (stored.AccessToken, Folder.TokenFile);
            if (string.IsNullOrWhiteSpace(set)) throw Elsewhere(stored, server);
        }

        return string.IsNullOrWhiteSpace(set) ? (null, "none") : (set.Trim(), TokenVariable);
    }

    public async Task SaveServerAsync(ServerAddress server, CancellationToken cancellation)
    {
        Folder.Create();
        BindStored();
        await ConfigFile.SetAsync(Folder.ConfigFile, "server", server.Url, cancellation);
    }

    /// <summary>A token of before is for the server that is configured until now.</summary>
    private void BindStored()
    {
        try
        {
            Stored();
        }
        catch (CliException)
        {
            // One that cannot be read goes nowhere; signing in anew is what mends it.
            return;
        }
    }

    private string? ServerOfFile()
    {
        var stored = ConfigFile.Read(Folder.ConfigFile, "server");
        return string.IsNullOrWhiteSpace(stored) ? null : stored;
    }

    /// <summary>One of before, which does not say its server, is for the one of the file: a variable does not get to say.</summary>
    private StoredToken? Stored() => StoredToken.Read(Folder) switch
    {
        { Server: null } old => old.BindTo(ServerAddress.Parse(ServerOfFile() ?? ServerAddress.Default), Folder),
        var stored => stored,
    };

    private CliException Elsewhere(StoredToken stored, ServerAddress server)
    {
        var named = string.IsNullOrWhiteSpace(Environment.GetEnvironmentVariable(ServerVariable)) ? Folder.ConfigFile : ServerVariable;
        return new CliException($"auth_failed: the stored token is for {stored.Server} and is not sent to {server}, which {named} names.")
        {
            Hint = $"If you want that server: agnes auth login --server {server}, or agnes init --server-url {server} --token -. If not: correct {named}.",
        };
    }
}
