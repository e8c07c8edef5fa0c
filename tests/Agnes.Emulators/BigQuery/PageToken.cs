using System.Globalization;
using System.Text;

namespace Agnes.Emulators.BigQuery;

/// <summary>Tokens of pages: opaque to callers, and good for what they were given for alone.</summary>
internal static class PageToken
{
    public static string Write(long start, string scope) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{start}:{scope}")));

    public static long Read(string token, string scope)
    {
        try
        {
            var text = Encoding.UTF8.GetString(Convert.FromBase64String(token));
            var cut = text.IndexOf(':', StringComparison.Ordinal);
            if (cut > 0 && text[(cut + 1)..] == scope) return long.Parse(text.AsSpan(0, cut), CultureInfo.InvariantCulture);
        }
        catch (FormatException malformed)
        {
            throw new BigQueryError(400, "invalid", $"Invalid value at 'page_token': {malformed.Message}");
        }

        throw new BigQueryError(400, "invalid", "Invalid value at 'page_token'");
    }
}
