using Agnes.Server.Platform.Access;

namespace Agnes.Server.Platform.Serving;

/// <summary>Sends an answer that was made into a file first: its worker does not wait for a slow client, and nobody keeps the file's room for ever.</summary>
internal static class SpooledAnswer
{
    /// <summary>Whoever reads more slowly than this for long keeps others' room on the disk.</summary>
    private const double ReadBytesPerSecondMin = 32 << 10;

    private static readonly TimeSpan ReadGrace = TimeSpan.FromSeconds(60);

    /// <param name="file">All of it is sent, from its start.</param>
    public static async Task SendAsync(HttpContext context, FileStream file, string type, TimeProvider time)
    {
        var response = context.Response;
        response.ContentType = type;
        response.ContentLength = file.Length;
        response.Headers.CacheControl = "no-store";
        using var deadline = new CancellationTokenSource(ReadGrace + TimeSpan.FromSeconds(file.Length / ReadBytesPerSecondMin), time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, context.Lease().Ended, context.RequestAborted);
        try
        {
            file.Position = 0;
            await file.CopyToAsync(response.Body, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            context.Abort(); // the length was promised: only a cut connection tells that the rest does not come
        }
    }
}
