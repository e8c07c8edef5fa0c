using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
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
    private int _connections;
    private readonly ConcurrentQueue<string> _signIns = new();
    private readonly X509Certificate2? _certificate;
    private readonly bool _tlsAtOnce;

    private SmtpServer(X509Certificate2? certificate, bool tlsAtOnce)
    {
        (_certificate, _tlsAtOnce) = (certificate, tlsAtOnce);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>How many mails were begun, taken or not.</summary>
    public int Attempts => Volatile.Read(ref _attempts);

    /// <summary>How many connections were opened.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Every user and password that was said, right or wrong.</summary>
    public IReadOnlyCollection<string> SignIns => _signIns;

    /// <summary>Takes connections and says nothing.</summary>
    public bool Stalls { get; set; }

    /// <summary>Who may send, as <c>user:password</c>; null: anybody.</summary>
    public string? Account { get; set; }

    /// <summary>How passwords are taken, as the server says it.</summary>
    public string SignIn { get; set; } = "PLAIN LOGIN";

    /// <summary>Whether passwords, or letters, came before the line was safe.</summary>
    public bool HeardInTheClear { get; private set; }

    /// <summary>Words behind the reply to STARTTLS, as somebody on the way puts them there.</summary>
    public string Injected { get; set; } = "";

    public static SmtpServer Start() => new(null, tlsAtOnce: false);

    /// <summary>With STARTTLS.</summary>
    public static SmtpServer StartWithStartTls(X509Certificate2 certificate) => new(certificate, tlsAtOnce: false);

    /// <summary>With TLS from the first byte, as on port 465.</summary>
    public static SmtpServer StartWithTls(X509Certificate2 certificate) => new(certificate, tlsAtOnce: true);

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
        if (_accepting.IsCompleted) return; // a test that needs it gone has ended it
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
            Interlocked.Increment(ref _connections);
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
            await using var line = new Line(stream);
            if (_tlsAtOnce) await line.SecureAsync(_certificate!, _stop.Token);
            await ConverseAsync(line);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException or ObjectDisposedException or AuthenticationException)
        {
            // The client, or the test, went away: nothing is owed to either.
        }
    }

    private async Task ConverseAsync(Line line)
    {
        await line.WriteAsync("220 mail.example.com ESMTP");
        var from = "";
        var to = new List<string>();
        var known = Account is null;
        while (await line.ReadAsync(_stop.Token) is { } said)
        {
            var verb = said.Split(' ')[0].ToUpperInvariant();
            if (verb is "AUTH" or "MAIL") HeardInTheClear |= !line.IsSafe;
            switch (verb)
            {
                case "EHLO" or "HELO":
                    var offer = new List<string> { "mail.example.com", "8BITMIME" };
                    if (_certificate is not null && !line.IsSafe) offer.Add("STARTTLS");
                    if (Account is not null) offer.Add($"AUTH {SignIn}");
                    offer.Add("SIZE 1000000");
                    await line.WriteAsync(string.Join("\r\n", offer.Select((text, at) => $"250{(at == offer.Count - 1 ? ' ' : '-')}{text}")));
                    break;
                case "STARTTLS" when _certificate is not null && !line.IsSafe:
                    await line.WriteAsync($"220 Go on{(Injected.Length == 0 ? "" : $"\r\n{Injected}")}");
                    await line.SecureAsync(_certificate, _stop.Token);
                    break;
                case "AUTH":
                    known = await IsAccountAsync(line, said);
                    await line.WriteAsync(known ? "235 Welcome" : "535 5.7.8 Wrong");
                    break;
                case "MAIL" when !known:
                    await line.WriteAsync("530 5.7.0 Sign in first");
                    break;
                case "MAIL":
                    (from, to) = (Address(said), []);
                    Interlocked.Increment(ref _attempts);
                    var refuse = Interlocked.Decrement(ref _refusals) >= 0;
                    await line.WriteAsync(refuse ? "451 4.3.0 Try again later" : "250 OK");
                    break;
                case "RCPT":
                    to.Add(Address(said));
                    await line.WriteAsync("250 OK");
                    break;
                case "DATA":
                    await line.WriteAsync("354 Go on");
                    _mails.Writer.TryWrite(new ReceivedMail(from, to, await ReadDataAsync(line)));
                    await line.WriteAsync("250 Kept");
                    break;
                case "QUIT":
                    await line.WriteAsync("221 Bye");
                    return;
                default:
                    await line.WriteAsync(verb is "RSET" or "NOOP" ? "250 OK" : "502 Not known");
                    break;
            }
        }
    }

    private async Task<string> ReadDataAsync(Line line)
    {
        var data = new StringBuilder();
        while (await line.ReadAsync(_stop.Token) is { } text && text != ".") data.Append(text.StartsWith("..", StringComparison.Ordinal) ? text[1..] : text).Append("\r\n");
        return data.ToString();
    }

    private async Task<bool> IsAccountAsync(Line line, string said)
    {
        static string Text(string base64) => Encoding.UTF8.GetString(Convert.FromBase64String(base64));
        string given;
        if (said.StartsWith("AUTH PLAIN ", StringComparison.OrdinalIgnoreCase)) given = string.Join(':', Text(said["AUTH PLAIN ".Length..]).TrimStart('\0').Split('\0', 2));
        else
        {
            await line.WriteAsync("334 VXNlcm5hbWU6");
            var user = Text(await line.ReadAsync(_stop.Token) ?? "");
            await line.WriteAsync("334 UGFzc3dvcmQ6");
            given = $"{user}:{Text(await line.ReadAsync(_stop.Token) ?? "")}";
        }

        _signIns.Enqueue(given);
        return given == Account;
    }

    private static string Address(string line) => line[(line.IndexOf('<', StringComparison.Ordinal) + 1)..line.IndexOf('>', StringComparison.Ordinal)];

    /// <summary>The connection, safe or not yet.</summary>
    private sealed class Line(Stream stream) : IAsyncDisposable
    {
        private Stream _stream = stream;
        private StreamReader _reader = new(stream, Encoding.Latin1, leaveOpen: true);

        public bool IsSafe => _stream is SslStream;

        public async Task SecureAsync(X509Certificate2 certificate, CancellationToken stop)
        {
            var safe = new SslStream(_stream);
            _stream = safe;
            await safe.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, stop);
            _reader.Dispose();
            _reader = new StreamReader(safe, Encoding.Latin1, leaveOpen: true);
        }

        public async Task WriteAsync(string text) => await _stream.WriteAsync(Encoding.ASCII.GetBytes($"{text}\r\n"));

        public async Task<string?> ReadAsync(CancellationToken stop) => await _reader.ReadLineAsync(stop);

        public async ValueTask DisposeAsync()
        {
            _reader.Dispose();
            await _stream.DisposeAsync();
        }
    }
}
