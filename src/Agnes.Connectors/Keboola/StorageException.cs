using System.Net;

namespace Agnes.Connectors.Keboola;

/// <summary>What went wrong at a Keboola stack or on the way to it, in words for people: without the token, and cut where it is
/// long.</summary>
public sealed class StorageException(string message, Exception? inner = null) : Exception(message, inner)
{
    private const int TextCharactersMax = 500;
    private const string Redacted = "<redacted-storage-token>";

    /// <summary>Null: nothing was answered.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>Of the service, such as <c>storage.tables.notFound</c>.</summary>
    public string? Code { get; init; }

    /// <summary>How long it asks to be left alone.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Another try may go better.</summary>
    public bool IsForNow { get; init; }

    /// <summary>What the service wrote, as far as it may be shown.</summary>
    internal static string Shown(string text, string token)
    {
        var shown = text.Replace(token, Redacted, StringComparison.Ordinal).ReplaceLineEndings(" ");
        return shown.Length > TextCharactersMax ? $"{shown[..TextCharactersMax]}…" : shown;
    }
}
