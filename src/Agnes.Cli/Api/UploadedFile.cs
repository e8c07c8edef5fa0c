using System.Net;
using System.Net.Http.Headers;
using Agnes.Cli.Sessions;

namespace Agnes.Cli.Api;

/// <summary>A file as the field of a form, streamed. It may still be growing: what is sent is what was there at the start.</summary>
internal sealed class UploadedFile : HttpContent
{
    private const int BufferBytes = 64 << 10;
    private readonly OwnFile _file;
    private readonly Action _onProgress;

    /// <param name="onProgress">Called for each piece that went out: the connection is alive.</param>
    public UploadedFile(OwnFile file, Action onProgress)
    {
        (_file, _onProgress) = (file, onProgress);
        Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var buffer = new byte[BufferBytes];
        for (long at = 0; at < _file.Length;)
        {
            var read = await _file.ReadAsync(buffer.AsMemory(0, (int)Math.Min(_file.Length - at, buffer.Length)), at, cancellationToken);
            if (read == 0) throw new IOException("the file became shorter while it was sent");
            await stream.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
            _onProgress();
            at += read;
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = _file.Length;
        return true;
    }
}
