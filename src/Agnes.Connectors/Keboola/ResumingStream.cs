using System.Net;

namespace Agnes.Connectors.Keboola;

/// <summary>
/// A file of an export as it comes, from one byte to the next: where it breaks off, or nothing comes for long, it is asked for from there
/// on, and where its address has run out, by a new one. It ends where the whole does, or fails.
/// </summary>
/// <param name="access">What it is fetched with.</param>
/// <param name="url">Where it lies, by what the stack says of the file now.</param>
internal sealed class ResumingStream(
    StoredFile access, Func<FileMessage, CancellationToken, Task<string>> url, KeboolaSettings settings, TimeProvider time) : ForwardStream
{
    private const int SkipBytes = 1 << 16;
    private SliceBody? _body;
    private long? _length;
    private long _at;
    private int _failures;

    public long Taken => _at;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var file = access.File;
            try
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                patience.CancelAfter(settings.SliceTime);
                _body ??= await OpenAsync(file, patience.Token);
                var count = await _body.Content.ReadAsync(buffer, patience.Token);
                if (count > 0)
                {
                    _at += count;
                    _failures = 0;
                    return count;
                }

                if (_length is null || _at == _length) return 0;
                throw new IOException("It broke off.");
            }
            catch (Exception failure) when (IsForNow(failure) && !cancellationToken.IsCancellationRequested)
            {
                Leave();
                if (++_failures > settings.RetriesMax) throw Told(failure);
                if (IsRunOut(failure)) await access.RenewAsync(file, cancellationToken);
                await Task.Delay(PauseAfter(_failures), time, cancellationToken);
            }
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) Leave();
        base.Dispose(disposing);
    }

    private async Task<SliceBody> OpenAsync(FileMessage file, CancellationToken cancellation)
    {
        var body = await access.OpenAsync(await url(file, cancellation), _at, cancellation);
        try
        {
            if (body.Length is { } length)
            {
                if (_length is { } before && before != length)
                    throw new StorageException("A file that Keboola exported changed while it was fetched.");
                _length = length;
            }

            if (body.From > _at) throw new StorageException("The store of Keboola's files left out what had been asked for.");
            await SkipAsync(body.Content, _at - body.From, cancellation); // it gave the whole once more
            return body;
        }
        catch
        {
            body.Answer.Dispose();
            throw;
        }
    }

    private static async Task SkipAsync(Stream content, long bytes, CancellationToken cancellation)
    {
        if (bytes == 0) return;
        var waste = new byte[SkipBytes];
        while (bytes > 0)
        {
            var count = await content.ReadAsync(waste.AsMemory(0, (int)Math.Min(bytes, waste.Length)), cancellation);
            if (count == 0) throw new IOException("It broke off.");
            bytes -= count;
        }
    }

    private void Leave()
    {
        _body?.Answer.Dispose();
        _body = null;
    }

    private TimeSpan PauseAfter(int failures)
    {
        var pause = settings.Pause * Math.Pow(2, failures - 1);
        return pause < settings.PauseMax ? pause : settings.PauseMax;
    }

    private static bool IsForNow(Exception failure) =>
        failure is IOException or OperationCanceledException or HttpRequestException
            || failure is StorageException { IsForNow: true } || IsRunOut(failure);

    private static bool IsRunOut(Exception failure) =>
        failure is StorageException { Status: HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest };

    private static StorageException Told(Exception failure) => failure as StorageException
        ?? new StorageException(
            failure is OperationCanceledException
                ? "A download of a file that Keboola exported stood still again and again."
                : "A download of a file that Keboola exported broke off again and again.", failure);
}
