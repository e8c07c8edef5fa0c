using System.Text.Json;

namespace Agnes.Connectors.Jira;

/// <summary>The little of a delivery that its answer needs, read in one pass that proves the rest to be JSON as well.</summary>
/// <param name="IsFalsy">Nothing is said: <c>{}</c>, <c>[]</c>, <c>null</c>, <c>0</c>, <c>false</c> or an empty text.</param>
/// <param name="Key">Of the issue; null where there is none.</param>
/// <param name="HasIssue">The issue's fields are in it, or it says that the issue is gone.</param>
public sealed record JiraHead(bool IsFalsy, string? Event, string? Key, bool HasIssue)
{
    /// <summary>It says that the issue is gone.</summary>
    public bool IsDeletion => string.Equals(Event, "jira:issue_deleted", StringComparison.OrdinalIgnoreCase);

    /// <summary>When it was said, by Jira's clock, in milliseconds since 1970; null where it does not say.</summary>
    public long? Said { get; private init; }

    private static readonly JsonReaderOptions Options = new() { MaxDepth = 128 };

    /// <exception cref="JsonException">It is no JSON.</exception>
    public static JiraHead Read(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, Options);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject) return Scalar(ref reader);
        string? name = null, key = null, ownKey = null;
        long? said = null;
        bool hasFields = false, isEmpty = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            isEmpty = false;
            if (reader.ValueTextEquals("webhookEvent"u8)) name = TextOf(ref reader);
            else if (reader.ValueTextEquals("issue_key"u8)) key = TextOf(ref reader);
            else if (reader.ValueTextEquals("timestamp"u8)) said = NumberOf(ref reader);
            else if (reader.ValueTextEquals("issue"u8)) (ownKey, hasFields) = IssueOf(ref reader);
            else Skip(ref reader);
        }

        while (reader.Read())
        {
            // Whatever follows has to be nothing; the reader throws where it is not.
        }

        var head = new JiraHead(isEmpty, name, ownKey ?? key, hasFields) { Said = said };
        return head.IsDeletion ? head with { HasIssue = true } : head;
    }

    private static JiraHead Scalar(ref Utf8JsonReader reader)
    {
        var isFalsy = reader.TokenType switch
        {
            JsonTokenType.Null or JsonTokenType.False => true,
            JsonTokenType.Number => !reader.TryGetDouble(out var number) || number == 0,
            JsonTokenType.String => reader.ValueSpan.Length == 0,
            _ => false,
        };
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            reader.Read();
            isFalsy = reader.TokenType == JsonTokenType.EndArray;
        }

        while (reader.Read())
        {
            // To its end, so that it is known to be JSON.
        }

        return new JiraHead(isFalsy, null, null, false);
    }

    private static (string? Key, bool HasFields) IssueOf(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return default;
        }

        string? key = null;
        var hasFields = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("key"u8)) key = TextOf(ref reader);
            else if (reader.ValueTextEquals("fields"u8))
            {
                reader.Read();
                hasFields = reader.TokenType == JsonTokenType.StartObject;
                reader.Skip();
            }
            else Skip(ref reader);
        }

        return (key, hasFields);
    }

    private static string? TextOf(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.String) return reader.GetString();
        reader.Skip();
        return null;
    }

    private static long? NumberOf(ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var number)) return number;
        reader.Skip();
        return null;
    }

    private static void Skip(ref Utf8JsonReader reader)
    {
        reader.Read();
        reader.Skip();
    }
}
