using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Server.Platform.Jobs;

/// <summary>A mail of plain text, as it waits in the outbox for whatever delivers mail.</summary>
internal sealed record Letter(string To, string Subject, string Text)
{
    /// <summary>In the outbox.</summary>
    public const string Channel = "mail";

    public string Write() => JsonSerializer.Serialize(this, LetterJson.Default.Letter);

    public static Letter Read(string content) => JsonSerializer.Deserialize(content, LetterJson.Default.Letter)!;

    /// <summary>Without the text, which may hold a link that is a key.</summary>
    public override string ToString() => $"mail '{Subject}'";
}

[JsonSerializable(typeof(Letter))]
internal sealed partial class LetterJson : JsonSerializerContext;
