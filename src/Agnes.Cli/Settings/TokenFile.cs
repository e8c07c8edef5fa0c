using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Cli.Settings;

/// <summary><c>token.json</c>, readable by its owner only.</summary>
/// <param name="Server">Scheme, host and port that it was stored for; it goes nowhere else. Null in a file of before, until <see cref="BindTo"/>.</param>
internal sealed record StoredToken(string AccessToken, string Email, string? Server)
{
    public StoredToken(string accessToken, string email, ServerAddress server)
        : this(accessToken, email, server.Origin)
    {
    }

    public bool IsFor(ServerAddress server) => string.Equals(Server, server.Origin, StringComparison.Ordinal);

    public static StoredToken? Read(ConfigFolder folder)
    {
        if (!File.Exists(folder.TokenFile)) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(folder.TokenFile));
            var token = document.RootElement.TryGetProperty("access_token", out var access) ? access.GetString() : null;
            var email = document.RootElement.TryGetProperty("email", out var mail) ? mail.GetString() : null;
            var server = document.RootElement.TryGetProperty("server", out var address) ? address.GetString() : null;
            return string.IsNullOrWhiteSpace(token) ? null : new StoredToken(token.Trim(), email ?? "", server);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new CliException($"{folder.TokenFile} is not readable: {problem.Message}") { Hint = "Sign in again: agnes auth login, or agnes auth import-token." };
        }
    }

    public async Task WriteAsync(ConfigFolder folder, CancellationToken cancellation)
    {
        folder.Create();
        await AtomicFile.WriteAsync(folder.TokenFile, Content(), ownerOnly: true, cancellation);
    }

    /// <summary>What a file of before is for is written down once, so that a later change of the configuration does not say it anew.</summary>
    public StoredToken BindTo(ServerAddress server, ConfigFolder folder)
    {
        var bound = this with { Server = server.Origin };
        try
        {
            AtomicFile.WriteOwn(folder.TokenFile, bound.Content());
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            // A folder that cannot be written to: it is bound to the same server the next time, for its configuration cannot change either.
            return bound;
        }

        return bound;
    }

    private byte[] Content() => System.Text.Encoding.UTF8.GetBytes(new JsonObject { ["access_token"] = AccessToken, ["email"] = Email, ["server"] = Server }.ToJsonString() + "\n");

    /// <summary>A file that others can read gives them the token.</summary>
    public static string? Warning(ConfigFolder folder)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(folder.TokenFile)) return null;
        var others = File.GetUnixFileMode(folder.TokenFile) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return others == UnixFileMode.None ? null : $"others can read {folder.TokenFile}; run: chmod 600 {folder.TokenFile}";
    }
}
