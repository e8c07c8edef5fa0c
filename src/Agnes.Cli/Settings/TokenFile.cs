using System.Text.Json;
using System.Text.Json.Nodes;

namespace Agnes.Cli.Settings;

/// <summary><c>token.json</c>, readable by its owner only.</summary>
internal sealed record StoredToken(string AccessToken, string Email)
{
    public static StoredToken? Read(ConfigFolder folder)
    {
        if (!File.Exists(folder.TokenFile)) return null;
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(folder.TokenFile));
            var token = document.RootElement.TryGetProperty("access_token", out var access) ? access.GetString() : null;
            var email = document.RootElement.TryGetProperty("email", out var mail) ? mail.GetString() : null;
            return string.IsNullOrWhiteSpace(token) ? null : new StoredToken(token.Trim(), email ?? "");
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            throw new CliException($"{folder.TokenFile} is not readable: {problem.Message}") { Hint = "Sign in again: agnes auth login, or agnes auth import-token." };
        }
    }

    public async Task WriteAsync(ConfigFolder folder, CancellationToken cancellation)
    {
        folder.Create();
        var content = new JsonObject { ["access_token"] = AccessToken, ["email"] = Email }.ToJsonString();
        await AtomicFile.WriteAsync(folder.TokenFile, System.Text.Encoding.UTF8.GetBytes(content + "\n"), ownerOnly: true, cancellation);
    }

    /// <summary>A file that others can read gives them the token.</summary>
    public static string? Warning(ConfigFolder folder)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(folder.TokenFile)) return null;
        var others = File.GetUnixFileMode(folder.TokenFile) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return others == UnixFileMode.None ? null : $"others can read {folder.TokenFile}; run: chmod 600 {folder.TokenFile}";
    }
}
