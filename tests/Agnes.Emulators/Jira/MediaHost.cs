using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Agnes.Emulators.Jira;

/// <summary>
/// The host that attachments lie at, as <c>api.media.atlassian.com</c>: addresses are signed and good for some minutes, and a request that
/// bears the site's credentials is refused: they are nothing that another host may see.
/// </summary>
public sealed class MediaHost : IAsyncDisposable
{
    private const int ChunkBytes = 64 * 1024;
    private readonly JiraServer _server;
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private WebApplication? _app;
    private int _credentialsSeen;

    internal MediaHost(JiraServer server) => _server = server;

    public string Address { get; private set; } = "";

    /// <summary>How long a signed address is good, by the site's clock.</summary>
    public TimeSpan AddressLife { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Requests that brought credentials here.</summary>
    public int CredentialsSeen => Volatile.Read(ref _credentialsSeen);

    internal async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.MapGet("/file/{id}/binary", (HttpContext context, string id) =>
            _server.StepAsync(context, Step.Media, null, inner => AnswerAsync(inner, id)));
        await _app.StartAsync();
        Address = _app.Urls.First();
    }

    public async ValueTask DisposeAsync()
    {
        if (_app is { } app) await app.DisposeAsync();
    }

    internal string AddressOf(Attachment attachment)
    {
        var until = (_server.Site.Now + AddressLife).ToUnixTimeMilliseconds();
        var signature = Sign(attachment.Id, until);
        return $"{Address}/file/{attachment.Id}/binary?token={signature}&exp={until}&name={Uri.EscapeDataString(attachment.Name)}";
    }

    internal static async Task WriteAsync(HttpContext context, Attachment attachment)
    {
        context.Response.ContentType = attachment.MimeType;
        context.Response.ContentLength = attachment.Length;
        if (attachment.Bytes is { } bytes)
        {
            await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
            return;
        }

        var chunk = new byte[ChunkBytes];
        for (var at = 0L; at < attachment.Length; at += chunk.Length)
        {
            var length = (int)Math.Min(chunk.Length, attachment.Length - at);
            for (var i = 0; i < length; i++) chunk[i] = ByteOf(attachment.Id, at + i);
            await context.Response.Body.WriteAsync(chunk.AsMemory(0, length), context.RequestAborted);
        }
    }

    /// <summary>The byte at a place of an attachment that was given no bytes.</summary>
    public static byte ByteOf(long attachmentId, long at) => (byte)(' ' + ((attachmentId + (at * 7)) % 90));

    private async Task AnswerAsync(HttpContext context, string id)
    {
        var query = context.Request.Query;
        if (context.Request.Headers.ContainsKey("Authorization"))
        {
            Interlocked.Increment(ref _credentialsSeen);
            await Results.Text("Only one auth mechanism allowed", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
        }
        else if (!long.TryParse(id, CultureInfo.InvariantCulture, out var number)
            || !long.TryParse(query["exp"], CultureInfo.InvariantCulture, out var until)
            || query["token"] != Sign(number, until) || until < _server.Site.Now.ToUnixTimeMilliseconds())
        {
            await Results.Text("Request has expired", statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context);
        }
        else if (_server.Site.FindAttachment(id) is { } attachment) await WriteAsync(context, attachment);
        else await Results.StatusCode(StatusCodes.Status404NotFound).ExecuteAsync(context);
    }

    private string Sign(long id, long until) => Convert.ToHexStringLower(
        HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}|{until}"))));
}
