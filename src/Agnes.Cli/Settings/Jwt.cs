using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Agnes.Cli.Settings;

/// <summary>What a token says about itself. The signature is the server's to check.</summary>
internal sealed record Jwt(string? Email, string? Subject, DateTimeOffset? Expires)
{
    public static Jwt? Decode(string token)
    {
        var parts = token.Split('.');
        if (parts.Length != 3) return null;
        try
        {
            using var document = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1].TrimEnd('=')));
            var payload = document.RootElement;
            if (payload.ValueKind != JsonValueKind.Object) return null;
            DateTimeOffset? expires = payload.TryGetProperty("exp", out var exp) && exp.TryGetInt64(out var seconds) ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null;
            return new Jwt(Text(payload, "email"), Text(payload, "sub"), expires);
        }
        catch (Exception problem) when (problem is FormatException or JsonException or ArgumentOutOfRangeException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement payload, string name) =>
        payload.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
