using System.IO.Compression;
using System.Text.Json;
using Agnes.Engine.Limits;
using Agnes.Engine.Outbound;

namespace Agnes.Connectors.Keboola;

/// <summary>One exported file, of one piece or of slices, fetched to the disk and unpacked on the way.</summary>
/// <param name="Slices">In the order of the export; those without a byte are left out.</param>
internal sealed record Downloaded(IReadOnlyList<string> Slices, bool IsSliced, bool IsEmptyManifest);

/// <summary>Fetches exported files, some slices at once.</summary>
internal sealed class FileDownload(StorageClient storage, KeboolaSettings settings, OutboundGuard guard, TimeProvider time) : IDisposable
{
    /// <summary>Of one file at once.</summary>
    private const int SlicesAtOnce = 4;
    private const int SlicesMax = 100_000;
    private const int ManifestBytesMax = 64 << 20;
    private const int BufferBytes = 1 << 17;
    private readonly HttpClient _client = KeboolaHttp.Create(guard);

    /// <summary>Left alone, the runtime takes what is cut off for the end.</summary>
    static FileDownload() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);

    /// <param name="folder">Empty; holds the slices afterwards, or some of them where it fails.</param>
    /// <param name="progress">Is told how many bytes have been fetched so far.</param>
    /// <exception cref="StorageException"/>
    public async Task<Downloaded> RunAsync(string fileId, string folder, Action<long> progress, CancellationToken cancellation)
    {
        var file = await storage.FileAsync(fileId, cancellation);
        if (string.IsNullOrEmpty(file.Url)) throw new StorageException("Keboola says no address of the exported file.");
        using var access = new StoredFile(storage, _client, settings, file, fileId);
        if (file.SizeBytes is > 0 and var size) Scratch.EnsureFree(folder, size);
        var total = 0L;
        void Took(int count) => progress(Interlocked.Add(ref total, count));
        if (file.IsSliced != true)
        {
            var whole = Path.Combine(folder, "slice-00000");
            await TakeAsync(access, (now, _) => Task.FromResult(now.Url ?? ""), whole, Took, cancellation);
            CheckSize(file, total);
            return new Downloaded(NotEmpty([whole]), false, false);
        }

        var manifest = new Manifest(access, settings, time);
        var entries = await manifest.EntriesAsync(file, cancellation);
        var slices = entries.Select((_, index) => Path.Combine(folder, $"slice-{index:D5}")).ToList();
        await Parallel.ForAsync(
            0, entries.Count, new ParallelOptions { MaxDegreeOfParallelism = SlicesAtOnce, CancellationToken = cancellation },
            async (index, stop) => await TakeAsync(
                access, (now, token) => manifest.UrlAsync(now, entries[index], token), slices[index], Took, stop));
        CheckSize(file, total);
        return new Downloaded(NotEmpty(slices), true, entries.Count == 0);
    }

    public void Dispose() => _client.Dispose();

    private async Task TakeAsync(
        StoredFile access, Func<FileMessage, CancellationToken, Task<string>> url, string target, Action<int> took,
        CancellationToken cancellation)
    {
        await using var arriving = new ResumingStream(access, url, settings, time);
        await using var counted = new Counting(arriving, took);
        var (isPacked, begun) = await BeginAsync(counted, cancellation);
        await using var whole = new Prefixed(begun, counted);
        await using Stream plain = isPacked ? new GZipStream(whole, CompressionMode.Decompress) : whole;
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous };
        await using var written = new FileStream(target, options);
        var buffer = new byte[BufferBytes];
        try
        {
            int count;
            while ((count = await plain.ReadAsync(buffer, cancellation)) > 0)
                await written.WriteAsync(buffer.AsMemory(0, count), cancellation);
        }
        catch (InvalidDataException torn)
        {
            throw new StorageException(
                "A file that Keboola exported is damaged or cut off: it cannot be unpacked. The next sync exports it anew.", torn);
        }
    }

    /// <summary>What is packed begins with a mark that no text and no Parquet begins with.</summary>
    private static async Task<(bool IsPacked, byte[] Begun)> BeginAsync(Stream from, CancellationToken cancellation)
    {
        var begun = new byte[2];
        var count = await from.ReadAtLeastAsync(begun, begun.Length, throwOnEndOfStream: false, cancellation);
        return (count == 2 && begun is [0x1F, 0x8B], begun[..count]);
    }

    private static void CheckSize(FileMessage file, long taken)
    {
        if (file.SizeBytes is { } said && said != taken)
        {
            throw new StorageException(
                $"The exported file has {said} bytes by what Keboola says, and {taken} came: it is cut off. The next sync exports anew.");
        }
    }

    private static List<string> NotEmpty(IEnumerable<string> files) => [.. files.Where(file => new FileInfo(file).Length > 0)];

    /// <summary>The list of slices, as it is for the credentials of now.</summary>
    private sealed class Manifest(StoredFile access, KeboolaSettings settings, TimeProvider time)
    {
        private readonly SemaphoreSlim _reading = new(1, 1);
        private FileMessage? _readFor;
        private List<string> _entries = [];

        /// <summary>Addresses in the order of their paths, in which numbers count as numbers.</summary>
        public async Task<IReadOnlyList<string>> EntriesAsync(FileMessage file, CancellationToken cancellation)
        {
            await _reading.WaitAsync(cancellation);
            try
            {
                if (ReferenceEquals(_readFor, file)) return _entries;
                await using var arriving = new ResumingStream(access, (now, _) => Task.FromResult(now.Url ?? ""), settings, time);
                await using var bounded = new BoundedStream(
                    arriving, ManifestBytesMax,
                    what => new StorageException($"Keboola's list of an export's slices cannot be read: {what}."));
                var read = await JsonSerializer.DeserializeAsync(bounded, StorageJson.Default.ManifestMessage, cancellation);
                var urls = (read?.Entries ?? []).Select(entry => entry.Url).ToList();
                if (urls.Exists(string.IsNullOrEmpty)) throw new StorageException("A slice of Keboola's export has no address.");
                if (urls.Count > SlicesMax)
                    throw new StorageException($"Keboola's export has {urls.Count} slices, and may have {SlicesMax}.");
                (_readFor, _entries) = (file, [.. urls.Select(url => url!).Order(NaturalOrder.OfUrls)]);
                return _entries;
            }
            catch (JsonException malformed)
            {
                throw new StorageException("Keboola's list of an export's slices cannot be read.", malformed);
            }
            finally
            {
                _reading.Release();
            }
        }

        /// <summary>The same slice's address with the signature of now.</summary>
        public async Task<string> UrlAsync(FileMessage file, string first, CancellationToken cancellation)
        {
            if (!first.StartsWith("http", StringComparison.Ordinal)) return first; // signed by credentials, not in the address
            var path = NaturalOrder.PathOf(first);
            return (await EntriesAsync(file, cancellation)).FirstOrDefault(entry => NaturalOrder.PathOf(entry) == path)
                ?? throw new StorageException("A slice of Keboola's export is not listed any more.");
        }
    }

    /// <summary>Bytes as they come, told to whoever counts them.</summary>
    private sealed class Counting(Stream inner, Action<int> took) : ForwardStream
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await inner.ReadAsync(buffer, cancellationToken);
            if (count > 0) took(count);
            return count;
        }
    }

    /// <summary>What was read to look at it comes once more.</summary>
    private sealed class Prefixed(byte[] begun, Stream inner) : ForwardStream
    {
        private int _at;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_at == begun.Length) return await inner.ReadAsync(buffer, cancellationToken);
            var count = Math.Min(buffer.Length, begun.Length - _at);
            begun.AsMemory(_at, count).CopyTo(buffer);
            _at += count;
            return count;
        }
    }
}
