using System.Text.Json;

namespace Agnes.Cli.Sessions;

/// <summary>What the agent tells its hooks and its status line on the standard input.</summary>
internal sealed record HookInput(string? SessionId, string? TranscriptPath)
{
    private const int BytesMax = 1 << 20;

    /// <returns>The fields, or why there are none: <c>empty_stdin</c>, <c>bad_json</c>, <c>not_object</c>, <c>stdin_read_error</c>.</returns>
    public static (HookInput? Input, string? Problem) Read(Stream stdin)
    {
        try
        {
            using var content = new MemoryStream();
            var buffer = new byte[16 << 10];
            int read;
            while ((read = stdin.Read(buffer)) > 0 && content.Length < BytesMax) content.Write(buffer, 0, read);
            var bytes = content.GetBuffer().AsMemory(0, (int)content.Length);
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
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return (null, "stdin_read_error");
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
