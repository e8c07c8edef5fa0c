using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>A letter as it goes over the wire (RFC 5322, MIME), with the dot at its end. The text is base64, so no line of it can be taken for anything else.</summary>
internal static class MailText
{
    private const int IdBytes = 16;

    /// <summary>An encoded word has at most 75 characters.</summary>
    private const int RunesOfWord = 12;

    public static string Of(Letter letter, MailSender from, DateTimeOffset now)
    {
        var text = new StringBuilder();
        text.Append("From: ").Append(from.Name is { } name ? $"{Words(name)} <{from.Address}>" : from.Address).Append("\r\n");
        text.Append("To: ").Append(letter.To).Append("\r\n");
        text.Append("Subject: ").Append(Encoded(letter.Subject)).Append("\r\n");
        text.Append("Date: ").Append(now.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)).Append("\r\n");
        text.Append("Message-ID: <").Append(RandomNumberGenerator.GetHexString(IdBytes * 2, lowercase: true)).Append(from.Address.AsSpan(from.Address.LastIndexOf('@'))).Append(">\r\n");
        text.Append("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\nAuto-Submitted: auto-generated\r\n\r\n");
        text.Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(letter.Text), Base64FormattingOptions.InsertLineBreaks)).Append("\r\n.");
        return text.ToString();
    }

    /// <summary>Encoded-words of RFC 2047 where it is not plain ASCII.</summary>
    private static string Encoded(string subject) => subject.All(character => character is >= ' ' and < '\u007f') ? subject : Words(subject);

    private static string Words(string text) => string.Join("\r\n ", text.EnumerateRunes().Chunk(RunesOfWord).Select(piece => $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Concat(piece)))}?="));
}
