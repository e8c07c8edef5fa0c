namespace Agnes.Connectors.Events;

/// <summary>Reads a journal that another process writes, from a position on, up to what that process says is on disk.</summary>
public sealed class JournalReader(string folder)
{
    private const int ReadBytes = 1 << 20;

    /// <summary>The entries from a position to another, in order.</summary>
    /// <param name="from">Where an entry begins, or before the first that is still there.</param>
    /// <param name="until">What is durable; nothing from there on is read.</param>
    /// <exception cref="InvalidDataException">An entry that was durable is damaged: the disk lost it.</exception>
    public async IAsyncEnumerable<JournalEntry> ReadAsync(
        long from, long until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation = default)
    {
        var files = JournalFormat.Files(folder);
        for (var i = 0; i < files.Count; i++)
        {
            var end = i + 1 < files.Count ? files[i + 1].Position : until;
            if (end <= from || files[i].Position >= until) continue;
            await foreach (var entry in ReadFileAsync(files[i].Path, files[i].Position, Math.Max(from, files[i].Position), Math.Min(end, until), cancellation))
                yield return entry;
        }
    }

    private static async IAsyncEnumerable<JournalEntry> ReadFileAsync(
        string path, long first, long from, long until, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        using var file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var position = from;
        var size = ReadBytes;
        while (position < until)
        {
            // Bodies are handed on and kept for a while, so that each reading has bytes of its own.
            var buffer = new byte[Math.Min(size, until - position)];
            var filled = await FillAsync(file, buffer, position - first, cancellation);
            var rest = buffer.AsMemory(0, filled);
            var needed = 0;
            while (rest.Length > 0 && JournalFormat.Decode(rest, position, out needed) is { } entry)
            {
                yield return entry;
                rest = rest[(int)(entry.Next - position)..];
                position = entry.Next;
            }

            if (position >= until) yield break;
            if (rest.Length > 0 && needed == 0 || filled < buffer.Length || needed > until - position)
                throw new InvalidDataException($"The journal is damaged at {position}: {Path.GetFileName(path)}.");
            size = Math.Max(ReadBytes, needed);
        }
    }

    private static async Task<int> FillAsync(Microsoft.Win32.SafeHandles.SafeFileHandle file, Memory<byte> buffer, long at, CancellationToken cancellation)
    {
        var filled = 0;
        while (filled < buffer.Length)
        {
            var read = await RandomAccess.ReadAsync(file, buffer[filled..], at + filled, cancellation);
            if (read == 0) break;
            filled += read;
        }

        return filled;
    }
}
