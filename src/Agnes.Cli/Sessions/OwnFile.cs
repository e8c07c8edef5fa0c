using System.Text.Json;
using Agnes.Cli.Files;
using Agnes.Cli.Workspace;
using Agnes.Protocol;

namespace Agnes.Cli.Sessions;

/// <summary>What became of opening a file for a push.</summary>
internal enum Opening
{
    Opened,
    Missing,

    /// <summary>It may be readable another time.</summary>
    Unreadable,

    /// <summary>It is not this workspace's to send, and never will be.</summary>
    Refused,
    TooLarge,
}

/// <param name="Why">For the user; empty where it was opened.</param>
internal sealed record OpenResult(Opening Outcome, string Why, OwnFile? File) : IDisposable
{
    public void Dispose() => File?.Dispose();
}

/// <summary>
/// A file that may leave this machine by a push: the one way to one is through here, and uploads take nothing else. Queue, hook input and whatever lies in the
/// workspace only name candidates. Sent is a plain file with one name whose real place is this workspace's own.
/// </summary>
internal sealed class OwnFile : IDisposable
{
    /// <summary>What the server takes at most.</summary>
    public const long TranscriptBytesMax = 50 << 20;
    public const long NotesBytesMax = 1 << 20;
    private const string Elsewhere = "its real place is none of this workspace's own folders";
    private const int ReadBytes = 256 << 10;
    private readonly PlainFile _file;

    private OwnFile(string name, PlainFile file) => (Name, _file) = (name, file);

    /// <summary>Without its folder.</summary>
    public string Name { get; }

    public long Length => _file.Length;

    /// <summary>A transcript of a session in this workspace.</summary>
    public static OpenResult Transcript(Layout layout, string path)
    {
        if (Path.GetExtension(path) != ".jsonl") return new OpenResult(Opening.Refused, "it is no transcript: its name does not end in .jsonl", null);
        var ours = Path.Combine(RealFolder.Of(layout.Root), "user", "sessions");
        var result = Open(path, [.. Transcripts.Folders(layout), ours], TranscriptBytesMax);
        if (result.File is not { } file) return result;
        var folder = file.StartedIn();
        if (folder is null ? RealFolder.IsBelow(file._file.RealPath, ours) : Transcripts.IsIn(folder, layout)) return result;
        file.Dispose();
        return new OpenResult(Opening.Refused, folder is null ? "it does not say in which folder its session began" : $"it is a session of another folder ({folder})", null);
    }

    /// <summary>The user's notes, <c>.claude/CLAUDE.local.md</c>.</summary>
    public static OpenResult Notes(Layout layout) => Open(layout.LocalNotes, [Path.Combine(RealFolder.Of(layout.Root), ".claude")], NotesBytesMax);

    public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellation) => _file.ReadAsync(buffer, offset, cancellation);

    public async Task<string> ReadTextAsync(CancellationToken cancellation)
    {
        var bytes = new byte[Length];
        var length = 0;
        for (int read; length < bytes.Length && (read = await ReadAsync(bytes.AsMemory(length), length, cancellation)) > 0;) length += read;
        using var reader = new StreamReader(new MemoryStream(bytes, 0, length)); // knows a byte order mark
        return await reader.ReadToEndAsync(cancellation);
    }

    public void Dispose() => _file.Dispose();

    private static OpenResult Open(string path, IReadOnlyList<string> folders, long bytesMax)
    {
        try
        {
            var full = Path.GetFullPath(path);
            // Nothing elsewhere is even opened: to open some files is to do something.
            if (!folders.Any(folder => RealFolder.IsBelow(RealFolder.Of(Path.GetDirectoryName(full)!), folder))) return new OpenResult(Opening.Refused, Elsewhere, null);
            var file = PlainFile.Open(full);
            if (file is null) return new OpenResult(Opening.Refused, "it is a link, a pipe or something else that is no plain file", null);
            var refusal = !folders.Any(folder => RealFolder.IsBelow(file.RealPath, folder)) ? Elsewhere
                : file.Links != 1 ? "it has a second name (a hard link), perhaps in another folder"
                : null;
            if (refusal is null && file.Length <= bytesMax) return new OpenResult(Opening.Opened, "", new OwnFile(Path.GetFileName(full), file));
            file.Dispose();
            return refusal is not null ? new OpenResult(Opening.Refused, refusal, null) : new OpenResult(Opening.TooLarge, $"larger than {bytesMax >> 20} MiB", null);
        }
        catch (Exception problem) when (problem is FileNotFoundException or DirectoryNotFoundException)
        {
            return new OpenResult(Opening.Missing, "the file is gone", null);
        }
        catch (ArgumentException)
        {
            return new OpenResult(Opening.Refused, "its name is no path", null);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            return new OpenResult(Opening.Unreadable, problem.Message, null);
        }
    }

    /// <summary>
    /// The folder that the session says it began in: the first that one of its lines names; null where none does. The agent's names for folders are not unique
    /// (<c>a.b</c> and <c>a-b</c> share one), so that the name alone does not tell whose it is.
    /// </summary>
    private string? StartedIn()
    {
        var buffer = new byte[ReadBytes];
        var length = 0;
        // From a local file, and nearly always from its first lines: no reason to be asynchronous.
        for (long at = 0; at < Length;)
        {
            if (length == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2); // a line, at most as long as a transcript may be
            var read = _file.Read(buffer.AsSpan(length), at);
            if (read == 0) break;
            if (at == 0 && buffer.AsSpan(0, read).StartsWith((ReadOnlySpan<byte>)[0xEF, 0xBB, 0xBF])) buffer.AsSpan(0, 3).Fill((byte)' ');
            at += read;
            length += read;
            var rest = buffer.AsSpan(0, length);
            for (int end; (end = rest.IndexOf((byte)'\n')) >= 0; rest = rest[(end + 1)..])
            {
                if (Folder(rest[..end]) is { } folder) return folder;
            }

            rest.CopyTo(buffer);
            length = rest.Length;
        }

        return Folder(buffer.AsSpan(0, length));
    }

    /// <summary>The string <c>cwd</c> of a line's own object.</summary>
    private static string? Folder(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1) continue;
                var isFolder = reader.ValueTextEquals("cwd"u8);
                if (!reader.Read()) return null;
                if (isFolder) return reader.TokenType == JsonTokenType.String ? reader.GetString() : null;
            }
        }
        catch (Exception problem) when (problem is JsonException or InvalidOperationException)
        {
            return null; // no line of a transcript, or text that is none
        }

        return null;
    }
}
