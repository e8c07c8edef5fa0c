using System.Net;
using System.Net.Http.Headers;

namespace Agnes.Cli.Api;

/// <summary>A file as the field of a form, streamed. It may still be growing: what is sent is what was there at the start.</summary>
internal sealed class UploadedFile : HttpContent
{
    private const int BufferBytes = 64 << 10;
    private readonly FileStream _file;
    private readonly long _length;
    private readonly Action _onProgress;

    /// <param name="onProgress">Called for each piece that went out: the connection is alive.</param>
    public UploadedFile(string path, Action onProgress)
    {
        _file = new FileStream(path, new FileStreamOptions { Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, Options = FileOptions.Asynchronous | FileOptions.SequentialScan, BufferSize = 0 });
        (_length, _onProgress) = (_file.Length, onProgress);
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        for (var left = _length; left > 0;)
        {
            var read = await _file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(left, buffer.Length)), cancellationToken);
            if (read == 0) throw new IOException("the file became shorter while it was sent");
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            _onProgress();
            left -= read;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _length;
        return true;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _file.Dispose();
        base.Dispose(disposing);
    }
}
