using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;

namespace Agnes.Cli.Workspace;

/// <summary>What became of the agent's instructions.</summary>
internal enum InstructionsOutcome
{
    /// <summary>The server has none, or could not be asked.</summary>
    None,

    Unchanged,
    Updated,

    /// <summary>Somebody edited CLAUDE.md: it stays, and the server's text lies beside it.</summary>
    KeptEdited,
}

/// <summary>
/// <c>CLAUDE.md</c> as the server renders it. The hash of what was written last tells a text of ours from one that somebody edited; an edited one is never replaced
/// but by <c>agnes init --force</c>, which keeps a copy.
/// </summary>
internal sealed class Instructions(ApiClient api, Layout layout)
{
    private static readonly TimeSpan RefreshIdle = TimeSpan.FromSeconds(5);

    /// <returns>Null where the server has none of its own.</returns>
    /// <exception cref="CliException">It could not be asked, or answers with an error.</exception>
    public async Task<string?> FetchAsync(TimeSpan idle, CancellationToken cancellation)
    {
        var answer = await api.SendAsync(HttpMethod.Get, $"/api/welcome?server_url={Uri.EscapeDataString(api.Server.Url)}", null, idle, null, cancellation);
        if (!answer.IsSuccess && answer.Status is not (404 or 405)) throw new CliException(ErrorText.Local("server_unreachable", answer.Status, ErrorText.Brief(answer.Status, answer.Body))) { IsBlock = true };
        return answer.IsSuccess ? Text(answer) : null;
    }

    public async Task WriteAsync(string text, CancellationToken cancellation)
    {
        Directory.CreateDirectory(layout.Claude);
        // The hash first, beside the one before: killed between the two writes, either text is known for ours.
        await AtomicFile.WriteTextAsync(layout.InstructionsHash, string.Concat(Known().TakeLast(1).Append(Hash(text)).Select(hash => hash + "\n")), cancellation);
        await AtomicFile.WriteTextAsync(layout.ClaudeMd, text, cancellation);
        File.Delete(layout.ServerInstructions);
    }

    /// <summary>Asks a server while a pull asks it for tables. Never throws: instructions of yesterday are no reason to fail a pull.</summary>
    public async Task<(string? Text, string? Warning)> BeginRefreshAsync(CancellationToken cancellation)
    {
        if (!File.Exists(layout.Sentinel)) return (null, null);
        try
        {
            return (await FetchAsync(RefreshIdle, cancellation), null);
        }
        catch (CliException problem)
        {
            return (null, $"CLAUDE.md was not refreshed: {problem.Message.ReplaceLineEndings(" ")}");
        }
        catch (OperationCanceledException)
        {
            return (null, null); // the pull ends for the same reason, and says so
        }
    }

    /// <summary>Puts the text in place where nobody has touched the last one.</summary>
    public async Task<InstructionsOutcome> ApplyAsync(string? text, CancellationToken cancellation)
    {
        if (string.IsNullOrWhiteSpace(text)) return InstructionsOutcome.None;
        var wanted = Hash(text);
        var current = File.Exists(layout.ClaudeMd) ? Hash(await File.ReadAllTextAsync(layout.ClaudeMd, cancellation)) : null;
        if (current == wanted) return InstructionsOutcome.Unchanged;
        if (current is null || Known().Contains(current, StringComparer.Ordinal))
        {
            AtomicFile.RemoveLeftovers(layout.Root, Path.GetFileName(layout.ClaudeMd));
            await WriteAsync(text, cancellation);
            return InstructionsOutcome.Updated;
        }

        if (File.Exists(layout.ServerInstructions) && Hash(await File.ReadAllTextAsync(layout.ServerInstructions, cancellation)) == wanted) return InstructionsOutcome.Unchanged;
        await AtomicFile.WriteTextAsync(layout.ServerInstructions, text, cancellation);
        return InstructionsOutcome.KeptEdited;
    }

    /// <summary>Plain text, or JSON with the text in <c>content</c>.</summary>
    private static string? Text(ApiResponse answer)
    {
        var text = Encoding.UTF8.GetString(answer.Body);
        if (!text.AsSpan().TrimStart().StartsWith("{")) return string.IsNullOrWhiteSpace(text) ? null : text;
        using var json = answer.Json();
        return json.RootElement.TryGetProperty("content", out var content) && content.ValueKind == JsonValueKind.String ? content.GetString() : null;
    }

    private string[] Known() => File.Exists(layout.InstructionsHash) ? File.ReadAllLines(layout.InstructionsHash) : [];

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
