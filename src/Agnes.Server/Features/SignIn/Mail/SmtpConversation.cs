using System.Net;
using System.Text;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>What a mail server says that it can do.</summary>
internal sealed record SmtpOffer(IReadOnlyList<string> Lines)
{
    public bool Has(string extension) => Lines.Any(line => line.Equals(extension, StringComparison.OrdinalIgnoreCase));

    public bool HasSignIn(string mechanism) => Lines.Any(line =>
        line.StartsWith("AUTH ", StringComparison.OrdinalIgnoreCase) && line[5..].Split(' ').Contains(mechanism, StringComparer.OrdinalIgnoreCase));
}

/// <summary>Commands and replies of RFC 5321 over a stream; bounded, and never a command more than was meant.</summary>
internal sealed class SmtpConversation(Stream stream)
{
    private const int LineBytesMax = 2_048;
    private const int LinesMax = 100;
    private readonly byte[] _buffer = new byte[LineBytesMax];
    private int _start;
    private int _end;

    public async Task<SmtpOffer> HelloAsync(CancellationToken stop) => new([.. (await SayAsync($"EHLO {HostName()}", 250, stop)).Skip(1)]);

    /// <exception cref="MailException">The server answered otherwise.</exception>
    public async Task<IReadOnlyList<string>> SayAsync(string command, int expected, CancellationToken stop)
    {
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"{command}\r\n"), stop);
        await stream.FlushAsync(stop);
        return await ExpectAsync(expected, stop);
    }

    public async Task SignInAsync(SmtpOffer offer, string user, string password, CancellationToken stop)
    {
        if (offer.HasSignIn("PLAIN"))
        {
            await SayAsync($"AUTH PLAIN {Base64($"\0{user}\0{password}")}", 235, stop);
        }
        else if (offer.HasSignIn("LOGIN"))
        {
            await SayAsync("AUTH LOGIN", 334, stop);
            await SayAsync(Base64(user), 334, stop);
            await SayAsync(Base64(password), 235, stop);
        }
        else
        {
            throw new MailException("the mail server takes no password (neither PLAIN nor LOGIN)", isForNow: false);
        }
    }

    /// <summary>The letter is taken: whatever becomes of the good-bye is nobody's business.</summary>
    public async Task LeaveAsync(CancellationToken stop)
    {
        try
        {
            await SayAsync("QUIT", 221, stop);
        }
        catch (Exception fault) when (fault is MailException or IOException)
        {
            return;
        }
    }

    /// <summary>Somebody on the way could have put words behind the server's last ones before the line became safe.</summary>
    public void RefuseLeftovers()
    {
        if (_start < _end) throw new MailException("the mail server said more than it should before TLS", isForNow: false);
    }

    /// <returns>The reply's texts, a line each.</returns>
    public async Task<IReadOnlyList<string>> ExpectAsync(int expected, CancellationToken stop)
    {
        var texts = new List<string>();
        while (texts.Count < LinesMax)
        {
            var line = await LineAsync(stop);
            if (line.Length < 3 || !int.TryParse(line.AsSpan(0, 3), out var code)) throw new MailException("the mail server does not speak SMTP", isForNow: false);
            texts.Add(line.Length > 4 ? line[4..] : "");
            if (line.Length > 3 && line[3] == '-') continue;
            return code == expected ? texts : throw new MailException($"the mail server answered {code}", isForNow: code is >= 400 and < 500);
        }

        throw new MailException("the mail server's reply has no end", isForNow: false);
    }

    private async Task<string> LineAsync(CancellationToken stop)
    {
        while (true)
        {
            var length = _buffer.AsSpan(_start.._end).IndexOf((byte)'\n');
            if (length >= 0)
            {
                var line = Encoding.Latin1.GetString(_buffer, _start, length).TrimEnd('\r');
                _start += length + 1;
                return line;
            }

            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
            if (_end == _buffer.Length) throw new MailException("a line of the mail server is too long", isForNow: false);
            var read = await stream.ReadAsync(_buffer.AsMemory(_end), stop);
            if (read == 0) throw new IOException("The mail server hung up.");
            _end += read;
        }
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static string HostName()
    {
        var name = new string([.. Dns.GetHostName().Where(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.')]);
        return name.Length > 0 ? name : "localhost";
    }
}
