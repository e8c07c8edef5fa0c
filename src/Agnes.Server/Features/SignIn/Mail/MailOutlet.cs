using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server.Features.SignIn.Mail;

/// <summary>Letters on their way out.</summary>
internal sealed class MailOutlet(IMailTransport transport) : IOutlet
{
    public const string ChannelName = "mail";

    public string Channel => ChannelName;

    public static string Write(Letter letter) => JsonSerializer.Serialize(letter, LetterJson.Default.Letter);

    public Task SendAsync(string content, CancellationToken cancellation) => transport.SendAsync(JsonSerializer.Deserialize(content, LetterJson.Default.Letter)!, cancellation);
}

[JsonSerializable(typeof(Letter))]
internal sealed partial class LetterJson : JsonSerializerContext;
