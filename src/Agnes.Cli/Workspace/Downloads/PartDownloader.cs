using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using Agnes.Cli.Api;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace.Downloads;

/// <summary>Brings one file: continued where a killed pull left off, in ranges where it is large, checked against its hash, then put into the store.</summary>
internal sealed class PartDownloader(Host host, HttpClient client, ServerAddress server, string? token, Layout layout)
{
    private const int BufferBytes = 256 << 10;
    private const int MismatchesMax = 2;
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(300);
    private static readonly TimeSpan PauseFirst = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(5);

    /// <param name="streams">How many ranges of this file may be under way at once.</param>
    /// <param name="received">Told how many bytes have come, also negatively when they had to be thrown away.</param>
    /// <exception cref="FetchException">It could not be had.</exception>
    public async Task<Fetched> FetchAsync(FetchItem item, int streams, Action<long> received, CancellationToken cancellation)
    {
        string? wrong = null;
        for (var attempt = 1; ; attempt++)
        {
            var (fetched, found) = await FetchOnceAsync(item, attempt == 1 ? streams : 1, mayResume: attempt == 1, received, cancellation);
            if (fetched is not null) return fetched;
            if (attempt < MismatchesMax)
            {
                wrong = found;
                continue;
            }

            throw new FetchException(found == wrong
                ? $"{found}; the same bytes came twice, so the server's file is damaged. Tell an admin: agnes-server verify"
                : $"{found}; different bytes came each time, so something between here and the server changes them");
        }
    }

    private async Task<(Fetched? Fetched, string? Wrong)> FetchOnceAsync(FetchItem item, int streams, bool mayResume, Action<long> received, CancellationToken cancellation)
    {
        var source = item.SizeBytes is { } size ? new RemoteFile(size, $"\"{item.Sha256}\"", true) : await ProbeAsync(item, streams > 1 || item.CanResume, cancellation);
        var isLarge = source.SizeBytes > EnvironmentNumbers.ChunkThresholdBytes && source.HasRanges;
        var path = Path.Combine(layout.Incoming, item.PartialName + ".partial");
        using var partial = await PartialFile.OpenAsync(layout, path, source.SizeBytes, mayResume && item.CanResume && source.HasRanges, isLarge ? streams : 1, cancellation);
        partial.NeedsMd5 = item.Sha256 is null;
        received(partial.DoneBytes);
        var before = partial.DoneBytes;
        await FetchSegmentsAsync(item, source, partial, streams, received, cancellation);
        var (sha256, md5) = partial.Finish(item.Sha256 is null, cancellation);
        if (Mismatch(item, partial, sha256, md5) is { } wrong)
        {
            received(-partial.DoneBytes);
            partial.Discard();
            return (null, wrong);
        }

        var length = partial.DoneBytes;
        partial.Dispose();
        await PlaceAsync(path, sha256, cancellation);
        return (new Fetched(sha256, length, length - before), null);
    }

    private async Task FetchSegmentsAsync(FetchItem item, RemoteFile source, PartialFile partial, int streams, Action<long> received, CancellationToken cancellation)
    {
        if (partial.Segments.Count > 1)
        {
            try
            {
                var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, streams), CancellationToken = cancellation };
                await Parallel.ForEachAsync(partial.Segments.Where(segment => !segment.IsComplete), options, async (segment, stop) => await FetchSegmentAsync(item, source, partial, segment, received, stop));
                return;
            }
            catch (RangesIgnoredException)
            {
                received(-partial.DoneBytes);
                partial.Restart(source.SizeBytes);
            }
        }

        await FetchSegmentAsync(item, source, partial, partial.Segments[0], received, cancellation);
    }

    /// <summary>Retries on transport errors and 5xx, continuing where the connection broke.</summary>
    private async Task FetchSegmentAsync(FetchItem item, RemoteFile source, PartialFile partial, Segment segment, Action<long> received, CancellationToken cancellation)
    {
        var tries = EnvironmentNumbers.StreamRetries;
        try
        {
            await Retries.After(tries, PauseFirst, PauseMax, host.Clock, IsTransient).ExecuteAsync(
                async stop =>
                {
                    if (!segment.IsComplete || segment.Length == 0) await ReceiveAsync(item, source, partial, segment, received, stop);
                },
                cancellation);
        }
        catch (Exception problem) when (!cancellation.IsCancellationRequested && IsTransient(problem))
        {
            throw new FetchException($"{Innermost(problem)} (tried {tries + 1} times)");
        }
    }

    private async Task ReceiveAsync(FetchItem item, RemoteFile source, PartialFile partial, Segment segment, Action<long> received, CancellationToken cancellation)
    {
        var isWhole = segment.Start == 0 && segment.Length >= (source.SizeBytes ?? long.MaxValue);
        if (isWhole && segment.Done > 0 && !source.HasRanges) Restart(partial, segment, source, received);
        using var request = HttpTransport.Request(HttpMethod.Get, server.At(item.UrlPath), token);
        if (!isWhole || segment.Done > 0)
        {
            request.Headers.Range = new RangeHeaderValue(segment.Next, isWhole ? null : segment.Start + segment.Length - 1);
            if (source.ETag is not null) request.Headers.TryAddWithoutValidation("If-Range", source.ETag);
        }

        using var response = await ApiClient.SendHeadersAsync(client, request, Idle, host.Clock, cancellation);
        CheckStatus(item, response);
        if (response.StatusCode == HttpStatusCode.OK && request.Headers.Range is not null)
        {
            // The server sent everything instead of the range: the file changed, or it knows no ranges.
            if (!isWhole) throw new RangesIgnoredException();
            Restart(partial, segment, source, received);
        }
        else if (response.StatusCode == HttpStatusCode.PartialContent && response.Content.Headers.ContentRange?.From != segment.Next)
        {
            throw new FetchException("the server answered with another range than was asked for");
        }

        var room = segment.Length - segment.Done;
        var isSizeKnown = source.SizeBytes is not null;
        if (isSizeKnown && response.Content.Headers.ContentLength is { } announced && announced != room)
        {
            throw new FetchException($"wrong length: {room} bytes were to come, the server announces {announced}");
        }

        await CopyAsync(response, partial, segment, received, cancellation);
        if (isSizeKnown && !segment.IsComplete) throw new HttpIOException(HttpRequestError.ResponseEnded, $"the connection ended after {segment.Done} of {segment.Length} bytes");
    }

    private static void Restart(PartialFile partial, Segment segment, RemoteFile source, Action<long> received)
    {
        received(-segment.Done);
        partial.Restart(source.SizeBytes);
    }

    private async Task CopyAsync(HttpResponseMessage response, PartialFile partial, Segment segment, Action<long> received, CancellationToken cancellation)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            using var reader = new IdleReader(body, Idle, host.Clock, cancellation);
            int read;
            while ((read = await reader.ReadAsync(buffer)) > 0)
            {
                if (read > segment.Length - segment.Done) throw new FetchException("wrong length: the server sent more than it said");
                await partial.WriteAsync(segment, buffer.AsMemory(0, read), cancellation);
                received(read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Size, tag and whether ranges work, of a file that the manifest tells nothing of. A probe that fails says nothing.</summary>
    private async Task<RemoteFile> ProbeAsync(FetchItem item, bool isWorthwhile, CancellationToken cancellation)
    {
        if (!isWorthwhile) return RemoteFile.Unknown;
        try
        {
            using var head = HttpTransport.Request(HttpMethod.Head, server.At(item.UrlPath), token);
            using var answer = await ApiClient.SendHeadersAsync(client, head, Idle, host.Clock, cancellation);
            if (answer.IsSuccessStatusCode && answer.Content.Headers.ContentLength is > 0 and <= RemoteFile.SizeBytesMax and var length)
            {
                return new RemoteFile(length, Tag(answer), answer.Headers.AcceptRanges.Contains("bytes"));
            }

            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.NotFound) return RemoteFile.Unknown;
            using var first = HttpTransport.Request(HttpMethod.Get, server.At(item.UrlPath), token);
            first.Headers.Range = new RangeHeaderValue(0, 0);
            using var range = await ApiClient.SendHeadersAsync(client, first, Idle, host.Clock, cancellation);
            return range.StatusCode switch
            {
                HttpStatusCode.PartialContent when range.Content.Headers.ContentRange?.Length is > 0 and <= RemoteFile.SizeBytesMax and var total => new RemoteFile(total, Tag(range), true),
                HttpStatusCode.OK when range.Content.Headers.ContentLength is > 0 and <= RemoteFile.SizeBytesMax and var total => new RemoteFile(total, Tag(range), range.Headers.AcceptRanges.Contains("bytes")),
                _ => RemoteFile.Unknown,
            };
        }
        catch (Exception problem) when (!cancellation.IsCancellationRequested && TransportFailure.IsTransient(problem))
        {
            return RemoteFile.Unknown;
        }
    }

    private static string? Tag(HttpResponseMessage answer) => answer.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    private static void CheckStatus(FetchItem item, HttpResponseMessage response)
    {
        var status = (int)response.StatusCode;
        if (status is 200 or 206) return;
        if (status >= 500) throw new HttpRequestException($"the server answered {status}");
        throw new FetchException(
            status switch
            {
                401 => "HTTP 401: the token is not valid (any more)",
                403 => "HTTP 403: access to this table was refused",
                404 or 410 => $"HTTP {status}: the server does not have this file",
                _ => $"HTTP {status} for {item.UrlPath}",
            },
            isGone: status is 403 or 404 or 410 or 416);
    }

    private static string? Mismatch(FetchItem item, PartialFile partial, string sha256, string md5)
    {
        const int Shown = 12;
        if (item.Sha256 is not null) return item.Sha256 == sha256 ? null : $"hash mismatch: {item.Sha256[..Shown]} was announced, {sha256[..Shown]} came";
        if (!string.IsNullOrEmpty(item.Md5)) return string.Equals(item.Md5, md5, StringComparison.OrdinalIgnoreCase) ? null : $"hash mismatch: {item.Md5[..Math.Min(Shown, item.Md5.Length)]} was announced, {md5[..Shown]} came";
        return partial.LooksLikeParquet() ? null : "what came is not a Parquet file";
    }

    private async Task PlaceAsync(string path, string sha256, CancellationToken cancellation)
    {
        // Parts are never written to again; read-only keeps a slip of the hand from spoiling one.
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, UnixFileMode.UserRead);
        await AtomicFile.ReplaceAsync(path, layout.PartPath(sha256), cancellation);
        File.Delete(PartialFile.NotesPath(path));
    }

    private static bool IsTransient(Exception problem) => problem is not RangesIgnoredException && TransportFailure.IsTransient(problem);

    private static string Innermost(Exception problem) => problem.InnerException is { } inner ? Innermost(inner) : problem.Message;

    /// <summary>A server that answers ranges with the whole file: one stream, then.</summary>
    private sealed class RangesIgnoredException : Exception;
}

/// <param name="ETag">Strong tags only: a weak one does not promise the same bytes.</param>
internal sealed record RemoteFile(long? SizeBytes, string? ETag, bool HasRanges)
{
    public const long SizeBytesMax = 100L << 30;

    public static readonly RemoteFile Unknown = new(null, null, false);
}
