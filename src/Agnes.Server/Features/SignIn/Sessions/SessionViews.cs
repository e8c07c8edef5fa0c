using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.SignIn.Sessions;

/// <param name="Current">Whether it is the one that asks.</param>
internal sealed record SessionView(string Id, string Method, string? CreatedAt, string? LastSeenAt, string? ExpiresAt, string? Ip, string? UserAgent, bool Current)
{
    public static SessionView Of(SessionRow row, string? current) => new(
        row.Id, row.Method, Timestamps.Spaced(row.CreatedAt), Timestamps.Spaced(row.LastSeenAt), Timestamps.Spaced(row.ExpiresAt), row.Ip, row.UserAgent, row.Id == current);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(IReadOnlyList<SessionView>))]
internal sealed partial class SessionsJson : JsonSerializerContext;
