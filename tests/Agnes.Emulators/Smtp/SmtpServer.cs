using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Agnes.Emulators.Smtp;

/// <summary>A mail server on a port of its own that keeps what it is given. It can refuse for a while, for good, or not answer at all.</summary>
public sealed class SmtpServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Channel<ReceivedMail> _mails = Channel.CreateUnbounded<ReceivedMail>();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _refusals;
    private int _attempts;

    private SmtpServer()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>How many mails were begun, taken or not.</summary>
    public int Attempts => Volatile.Read(ref _attempts);

    /// <summary>Takes connections and says nothing.</summary>
    public bool Stalls { get; set; }

    public static SmtpServer Start() => new();

    /// <summary>Answers so many mails with "try again later".</summary>
    public void RefuseNext(int mails) => Volatile.Write(ref _refusals, mails);

    /// <summary>The next mail, waited for.</summary>
    public async Task<ReceivedMail> NextAsync(TimeSpan? atMost = null)
    {
        using var patience = new CancellationTokenSource(atMost ?? TimeSpan.FromSeconds(20));
        return await _mails.Reader.ReadAsync(patience.Token);
    }

    /// <summary>A mail that is here already.</summary>
    public ReceivedMail? TryNext() => _mails.Reader.TryRead(out var mail) ? mail : null;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            using var held = client;
            if (Stalls) await Task.Delay(Timeout.Infinite, _stop.Token);
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.Latin1);
            await using var writer = new StreamWriter(stream, new ASCIIEncoding()) { NewLine = "\r\n", AutoFlush = true };
            await ConverseAsync(reader, writer);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client, or the test, went away: nothing is owed to either.
        }
    }

    private async Task ConverseAsync(StreamReader reader, StreamWriter writer)
    {
        await writer.WriteLineAsync("220 mail.example.com ESMTP");
        var from = "";
        var to = new List<string>();
        while (await reader.ReadLineAsync(_stop.Token) is { } line)
        {
            var verb = line.Split(' ')[0].ToUpperInvariant();
            switch (verb)
            {
                case "EHLO" or "HELO":
                    await writer.WriteLineAsync("250-mail.example.com\r\n250-8BITMIME\r\n250 SIZE 1000000");
                    break;
                case "MAIL":
                    (from, to) = (Address(line), []);
                    Interlocked.Increment(ref _attempts);
                    var refuse = Interlocked.Decrement(ref _refusals) >= 0;
                    await writer.WriteLineAsync(refuse ? "451 4.3.0 Try again later" : "250 OK");
                    break;
                case "RCPT":
                    to.Add(Address(line));
                    await writer.WriteLineAsync("250 OK");
                    break;
                case "DATA":
                    await writer.WriteLineAsync("354 Go on");
                    _mails.Writer.TryWrite(new ReceivedMail(from, to, await ReadDataAsync(reader)));
                    await writer.WriteLineAsync("250 Kept");
                    break;
                case "QUIT":
                    await writer.WriteLineAsync("221 Bye");
                    return;
                default:
                    await writer.WriteLineAsync(verb is "RSET" or "NOOP" ? "250 OK" : "502 Not known");
                    break;
            }
        }
    }

    private async Task<string> ReadDataAsync(StreamReader reader)
    {
        var data = new StringBuilder();
        while (await reader.ReadLineAsync(_stop.Token) is { } line && line != ".") data.Append(line.StartsWith("..", StringComparison.Ordinal) ? line[1..] : line).Append("\r\n");
        return data.ToString();
    }

    private static string Address(string line) => line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];
}
