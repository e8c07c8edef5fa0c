using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Agnes.Server.Platform.Access;

/// <summary>What a token says once its signature was found good. Times are seconds since 1970.</summary>
/// <param name="IssuedAtMicros">The part of the second, of ours only: so that what was issued before "sign out everywhere" is told from what was issued after it.</param>
/// <param name="Sha256">Lower-case hex of the token's text: what is stored of a personal access token.</param>
internal sealed record TokenClaims(string Subject, string? Email, string Type, long IssuedAt, int IssuedAtMicros, string Id, long? ExpiresAt, string? Scope, string Sha256)
{
    public DateTime IssuedAtTime => DateTime.UnixEpoch.AddSeconds(IssuedAt).AddMicroseconds(IssuedAtMicros);
}

/// <summary>HS256 tokens, written and checked by hand: one algorithm, no skew, no key but ours.</summary>
internal static class Jwt
{
    private const int TokenCharsMax = 4096;

    /// <summary><c>{"alg":"HS256","typ":"JWT"}</c></summary>
    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    public static string Sign(ReadOnlySpan<byte> key, Action<Utf8JsonWriter> claims)
    {
        using var payload = new MemoryStream();
        using (var json = new Utf8JsonWriter(payload))
        {
            json.WriteStartObject();
            claims(json);
            json.WriteEndObject();
        }

        var signed = $"{Header}.{Base64Url.EncodeToString(payload.GetBuffer().AsSpan(0, (int)payload.Length))}";
        return $"{signed}.{Base64Url.EncodeToString(HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(signed)))}";
    }

    /// <summary>The claims, when the token is ours and well-formed. Whether it is still valid is for the caller to compare.</summary>
    public static TokenClaims? Verify(ReadOnlySpan<byte> key, string token)
    {
        if (token.Length > TokenCharsMax || !Ascii.IsValid(token)) return null;
        var first = token.IndexOf('.', StringComparison.Ordinal);
        var last = token.LastIndexOf('.');
        if (first <= 0 || last <= first + 1 || token.IndexOf('.', first + 1) != last) return null;

        var bytes = Encoding.ASCII.GetBytes(token);
        Span<byte> signature = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (!TryDecode(bytes.AsSpan(last + 1), signature, out var written) || written != signature.Length) return null;
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, bytes.AsSpan(0, last), expected);
        if (!CryptographicOperations.FixedTimeEquals(signature, expected)) return null;

        var buffer = new byte[bytes.Length];
        if (!TryDecode(bytes.AsSpan(0, first), buffer, out written) || !IsHs256(buffer.AsSpan(0, written))) return null;
        return TryDecode(bytes.AsSpan(first + 1, last - first - 1), buffer, out written)
            ? Read(buffer.AsMemory(0, written), Convert.ToHexStringLower(SHA256.HashData(bytes)))
            : null;
    }

    private static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> bytes, out int written)
    {
        // The strict form has no padding; a second spelling of one token must not exist.
        written = 0;
        return text.IndexOf((byte)'=') < 0
            && Base64Url.IsValid(text)
            && Base64Url.DecodeFromUtf8(text, bytes, out _, out written) == System.Buffers.OperationStatus.Done;
    }

    private static bool IsHs256(ReadOnlySpan<byte> header)
    {
        try
        {
            var reader = new Utf8JsonReader(header);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            return root.ValueKind == JsonValueKind.Object && root.TryGetProperty("alg", out var alg) && alg.ValueKind == JsonValueKind.String
                && alg.ValueEquals("HS256"u8) && !root.TryGetProperty("crit", out _);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static TokenClaims? Read(ReadOnlyMemory<byte> payload, string sha256)
    {
        try
        {
            using var document = JsonDocument.Parse(payload);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            if (Text(root, "sub") is not { } subject || Text(root, "jti") is not { } id || Seconds(root, "iat") is not { } issued) return null;
            long? expires = null;
            if (root.TryGetProperty("exp", out _))
            {
                expires = Seconds(root, "exp");
                if (expires is null) return null;
            }

            return new TokenClaims(subject, Text(root, "email"), Text(root, "typ") ?? SessionTokens.SessionType, issued, Micros(root), id, expires, Text(root, "scope"), sha256);
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            // Signed by us and yet no claims: a token of another use of the same key.
            return null;
        }
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private static int Micros(JsonElement root) => Seconds(root, "iat_us") is { } micros and >= 0 and < 1_000_000 ? (int)micros : 0;

    private static long? Seconds(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) ? seconds : null;
}
