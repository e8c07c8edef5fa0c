using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Agnes.Server.Tests.Walls;

/// <summary>A request whose end is held back: the server has let it through, and its handler waits for the rest of the body.</summary>
internal sealed class HeldRequest : IDisposable
{
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(20);
    private readonly TcpClient _client = new() { NoDelay = true };
    private readonly byte[] _rest;

    private HeldRequest(byte[] rest) => _rest = rest;

    /// <summary>Returns once the handler reads: only then does the server ask for the body.</summary>
    public static async Task<HeldRequest> SendAsync(string url, string method, string path, HttpContent content, string token)
    {
        var body = await content.ReadAsByteArrayAsync();
        // A form's reader may have the file before the last byte came.
        var held = new HeldRequest(content is MultipartContent ? body[(body.Length / 2)..] : body[^1..]);
        try
        {
            var address = new Uri(url);
            await held._client.ConnectAsync(address.Host, address.Port);
            var stream = held._client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"{method} {path} HTTP/1.1\r\nHost: {address.Authority}\r\nAuthorization: Bearer {token}\r\nContent-Type: {content.Headers.ContentType}\r\nContent-Length: {body.Length}\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"));
            var answer = await held.LineAsync();
            if (!answer.Contains(" 100 ", StringComparison.Ordinal)) throw new InvalidOperationException($"{method} {path} was answered before its body was read: {answer}");
            await stream.WriteAsync(body.AsMemory(..^held._rest.Length));
            return held;
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    public static HttpContent Form(string name, string text, string type)
    {
        var file = new ByteArrayContent(Encoding.UTF8.GetBytes(text));
        file.Headers.ContentType = new MediaTypeHeaderValue(type);
        return new MultipartFormDataContent { { file, "file", name } };
    }

    /// <summary>Sends the rest.</summary>
    /// <returns>The status, with what was said.</returns>
    public async Task<(int Status, string Text)> EndAsync()
    {
        await _client.GetStream().WriteAsync(_rest);
        using var reader = new StreamReader(_client.GetStream(), leaveOpen: true);
        var text = await reader.ReadToEndAsync().WaitAsync(GiveUp);
        return (int.Parse(text.Split(' ')[1]), text);
    }

    public void Dispose() => _client.Dispose();

    private async Task<string> LineAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (!line.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await _client.GetStream().ReadAsync(one).AsTask().WaitAsync(GiveUp) == 0) break;
            line.Append((char)one[0]);
        }

        return line.ToString();
    }
}
