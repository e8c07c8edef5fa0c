using System.Text.Json;

namespace Agnes.Cli.Sessions;

/// <summary>What the agent tells its hooks and its status line on the standard input.</summary>
internal sealed record HookInput(string? SessionId, string? TranscriptPath)
{
    private const int BytesMax = 1 << 20;

    /// <summary>An agent writes and closes at once; one that does not must not hang here.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(2);

    /// <returns>The fields, or why there are none: <c>empty_stdin</c>, <c>bad_json</c>, <c>not_object</c>, <c>stdin_read_error</c>.</returns>
    public static (HookInput? Input, string? Problem) Read()
    {
        if (!Console.IsInputRedirected) return (null, "empty_stdin");
        var content = new MemoryStream();
        var isBroken = false;
        var reader = new Thread(() => isBroken = !Copy(content)) { IsBackground = true };
        reader.Start();
        reader.Join(WaitMax);
        lock (content) return isBroken ? (null, "stdin_read_error") : Parse(content.ToArray());
    }

    private static bool Copy(MemoryStream content)
    {
        try
        {
            using var stdin = Console.OpenStandardInput();
            var buffer = new byte[16 << 10];
            int read;
            while ((read = stdin.Read(buffer)) > 0 && content.Length < BytesMax)
            {
                lock (content) content.Write(buffer, 0, read);
            }

            return true;
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (HookInput? Input, string? Problem) Parse(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            if (bytes.Span.StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) bytes = bytes[3..];
            if (bytes.Span.Trim(" \t\r\n"u8).IsEmpty) return (null, "empty_stdin");
            using var document = JsonDocument.Parse(bytes);
            if (document.RootElement.ValueKind != JsonValueKind.Object) return (null, "not_object");
            return (new HookInput(Text(document.RootElement, "session_id"), Text(document.RootElement, "transcript_path")), null);
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return (null, "bad_json");
        }
    }

    /// <summary>One line of text without tabs: it becomes a field of a line.</summary>
    private static string? Text(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String) return null;
        var text = value.GetString()!.Trim();
        return text.Length == 0 || text.AsSpan().ContainsAny('\t', '\n', '\r') ? null : text;
    }
}
