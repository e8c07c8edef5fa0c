using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Cli.Settings;
using Microsoft.Win32.SafeHandles;

namespace Agnes.Cli.Workspace.Downloads;

/// <summary>A range of a file and how much of it has come.</summary>
internal sealed class Segment(long start, long length, long done)
{
    public long Start { get; } = start;

    public long Length { get; } = length;

    public long Done { get; set; } = done;

    [JsonIgnore]
    public long Next => Start + Done;

    [JsonIgnore]
    public bool IsComplete => Done == Length;
}

/// <summary>Beside a partial file of several segments: which of them have come how far.</summary>
internal sealed record PartialNotes(long SizeBytes, List<Segment> Segments);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(PartialNotes))]
internal sealed partial class PartialJson : JsonSerializerContext;

/// <summary>
/// A file on its way. One segment grows at its end, so its length says how far it is; several are noted in a small file beside. Notes lag behind the
/// bytes, never before them. Whatever was continued is hashed from the start before it counts.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    private const long NoteEveryBytes = 8 << 20;
    private const int HashBufferBytes = 1 << 20;

    private readonly string _notesPath;
    private readonly SafeFileHandle _file;
    private readonly SemaphoreSlim _noting = new(1);
    private IncrementalHash? _sha256;
    private IncrementalHash? _md5;
    private long _unnotedBytes;

    private PartialFile(string path, SafeFileHandle file, List<Segment> segments)
    {
        Path = path;
        _notesPath = NotesPath(path);
        _file = file;
        Segments = segments;
        if (segments is [{ Done: 0 }]) StartHashing();
    }

    public string Path { get; }

    public List<Segment> Segments { get; private set; }

    public long DoneBytes => Segments.Sum(segment => segment.Done);

    /// <param name="size">Null where the server does not say; then there is nothing to continue.</param>
    public static async Task<PartialFile> OpenAsync(Layout layout, string path, long? size, bool mayResume, int segmentCount, CancellationToken cancellation)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        var file = WorkspaceFile.OpenHandle(layout, path);
        try
        {
            var kept = mayResume && size is { } known ? Resume(path, file, known) : null;
            if (kept is null)
            {
                File.Delete(NotesPath(path));
                RandomAccess.SetLength(file, 0);
            }

            var partial = new PartialFile(path, file, kept ?? Split(size, segmentCount));
            if (partial.Segments.Count > 1 && kept is null)
            {
                // Notes first: a file of full length without them would look complete.
                await partial.NoteAsync(cancellation);
                RandomAccess.SetLength(file, size!.Value);
            }

            return partial;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    public static string NotesPath(string path) => path + ".json";

    public async Task WriteAsync(Segment segment, ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        RandomAccess.Write(_file, bytes.Span, segment.Next);
        _sha256?.AppendData(bytes.Span);
        _md5?.AppendData(bytes.Span);
        segment.Done += bytes.Length;
        if (Segments.Count > 1 && Interlocked.Add(ref _unnotedBytes, bytes.Length) >= NoteEveryBytes) await NoteAsync(cancellation);
    }

    /// <summary>Back to nothing, as one segment.</summary>
    public void Restart(long? size)
    {
        File.Delete(_notesPath);
        RandomAccess.SetLength(_file, 0);
        if (Segments.Count == 1) Segments[0].Done = 0;
        else Segments = Split(size, 1);
        StartHashing();
    }

    /// <returns>Lower-case hex of SHA-256 and MD5 of the whole file, after its bytes are on the disk.</returns>
    public (string Sha256, string Md5) Finish(bool needsMd5, CancellationToken cancellation)
    {
        if (_sha256 is null) HashFromDisk(needsMd5, cancellation);
        RandomAccess.FlushToDisk(_file);
        return (Convert.ToHexStringLower(_sha256!.GetHashAndReset()), needsMd5 ? Convert.ToHexStringLower(_md5!.GetHashAndReset()) : "");
    }

    public bool LooksLikeParquet()
    {
        var length = RandomAccess.GetLength(_file);
        if (length < 8) return false;
        Span<byte> ends = stackalloc byte[8];
        RandomAccess.Read(_file, ends[..4], 0);
        RandomAccess.Read(_file, ends[4..], length - 4);
        return ends.SequenceEqual("PAR1PAR1"u8);
    }

    /// <summary>Removes the file: its bytes are wrong.</summary>
    public void Discard()
    {
        Dispose();
        File.Delete(Path);
        File.Delete(_notesPath);
    }

    public void Dispose()
    {
        _file.Dispose();
        _sha256?.Dispose();
        _md5?.Dispose();
        _noting.Dispose();
    }

    private static List<Segment>? Resume(string path, SafeFileHandle file, long size)
    {
        var length = RandomAccess.GetLength(file);
        if (!File.Exists(NotesPath(path))) return length > 0 && length <= size ? [new Segment(0, size, length)] : null;
        try
        {
            var notes = JsonSerializer.Deserialize(File.ReadAllBytes(NotesPath(path)), PartialJson.Default.PartialNotes);
            if (notes is null || notes.SizeBytes != size || length != size || notes.Segments is not { Count: > 1 }) return null;
            long next = 0;
            foreach (var segment in notes.Segments)
            {
                if (segment.Start != next || segment.Length <= 0 || segment.Done < 0 || segment.Done > segment.Length) return null;
                next = segment.Start + segment.Length;
            }

            return next == size ? notes.Segments : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static List<Segment> Split(long? size, int count)
    {
        if (size is not { } known || count <= 1 || known < count) return [new Segment(0, size ?? long.MaxValue, 0)];
        var each = known / count;
        return [.. Enumerable.Range(0, count).Select(index => new Segment(index * each, index == count - 1 ? known - index * each : each, 0))];
    }

    private void StartHashing()
    {
        _sha256?.Dispose();
        _md5?.Dispose();
        _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _md5 = NeedsMd5 ? IncrementalHash.CreateHash(HashAlgorithmName.MD5) : null;
    }

    /// <summary>Set before the first byte where an older server knows the file by MD5 alone.</summary>
    public bool NeedsMd5
    {
        get;
        set
        {
            field = value;
            if (value && _sha256 is not null && _md5 is null) _md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        }
    }

    private void HashFromDisk(bool needsMd5, CancellationToken cancellation)
    {
        NeedsMd5 = needsMd5;
        StartHashing();
        var buffer = new byte[HashBufferBytes];
        long at = 0;
        int read;
        while ((read = RandomAccess.Read(_file, buffer, at)) > 0)
        {
            cancellation.ThrowIfCancellationRequested();
            _sha256!.AppendData(buffer, 0, read);
            _md5?.AppendData(buffer, 0, read);
            at += read;
        }
    }

    private async Task NoteAsync(CancellationToken cancellation)
    {
        await _noting.WaitAsync(cancellation);
        try
        {
            Interlocked.Exchange(ref _unnotedBytes, 0);
            var notes = new PartialNotes(Segments[^1].Start + Segments[^1].Length, Segments);
            await AtomicFile.WriteAsync(_notesPath, JsonSerializer.SerializeToUtf8Bytes(notes, PartialJson.Default.PartialNotes), ownerOnly: false, cancellation);
        }
        finally
        {
            _noting.Release();
        }
    }
}
