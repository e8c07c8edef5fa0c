using System.Text;
using System.Text.RegularExpressions;

namespace Agnes.Emulators.Smtp;

/// <summary>A mail as it came over the wire.</summary>
public sealed partial record ReceivedMail(string From, IReadOnlyList<string> To, string Data)
{
    public string Subject => Decoded(Header("Subject"));

    /// <summary>Whom it says that it is from, with the name.</summary>
    public string Sender => Decoded(Header("From"));

    /// <summary>The text, with the transfer encoding undone.</summary>
    public string Text
    {
        get
        {
            var body = Data[(Data.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
            return Header("Content-Transfer-Encoding").ToLowerInvariant() switch
            {
                "base64" => Encoding.UTF8.GetString(Convert.FromBase64String(string.Concat(body.Split("\r\n")))),
                "quoted-printable" => Unquoted(body),
                _ => body,
            };
        }
    }

    private string Header(string name)
    {
        var headers = Data[..Data.IndexOf("\r\n\r\n", StringComparison.Ordinal)].Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
        var line = headers.Split("\r\n").FirstOrDefault(line => line.StartsWith($"{name}:", StringComparison.OrdinalIgnoreCase));
        return line is null ? "" : line[(name.Length + 1)..].Trim();
    }

    /// <summary>Encoded words of RFC 2047; white space between two of them is none.</summary>
    private static string Decoded(string header) => Word().Replace(Between().Replace(header, "?="), word =>
    {
        var text = word.Groups["text"].Value;
        return word.Groups["how"].Value is "B" or "b" ? Encoding.UTF8.GetString(Convert.FromBase64String(text)) : Unquoted(text.Replace('_', ' '));
    });

    [GeneratedRegex(@"=\?utf-8\?(?<how>[BbQq])\?(?<text>[^? ]*)\?=", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Word();

    [GeneratedRegex(@"\?=\s+(?==\?)", RegexOptions.CultureInvariant)]
    private static partial Regex Between();

    private static string Unquoted(string text)
    {
        var bytes = new List<byte>();
        var joined = text.Replace("=\r\n", "", StringComparison.Ordinal);
        for (var at = 0; at < joined.Length; at++)
        {
            if (joined[at] == '=' && at + 2 < joined.Length)
            {
                bytes.Add(Convert.ToByte(joined.Substring(at + 1, 2), 16));
                at += 2;
            }
            else
            {
                bytes.Add((byte)joined[at]);
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
