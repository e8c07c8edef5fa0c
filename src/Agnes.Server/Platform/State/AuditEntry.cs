using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.State;

/// <summary>A row of <c>audit_log</c>.</summary>
public sealed record AuditEntry
{
    public required string Id { get; init; }
    public DateTime Timestamp { get; init; }
    public string? UserId { get; init; }
    public required string Action { get; init; }
    public string? Resource { get; init; }

    /// <summary>A JSON object as text.</summary>
    public string? Params { get; init; }
    public string? Result { get; init; }
    public int? DurationMs { get; init; }

    internal static readonly string InsertSql =
        """
        INSERT INTO audit_log (id, timestamp, user_id, action, resource, params, result, duration_ms)
        VALUES (@Id, @Timestamp, @UserId, @Action, @Resource, @Params, @Result, @DurationMs)
        """;

    internal static AuditEntry Create(DateTime now, AuditOrigin? origin, string? userId, string action, string? resource, JsonObject? parameters, string? result, int? durationMs) => new()
    {
        Id = StateId.New(now),
        Timestamp = now,
        UserId = userId,
        Action = action,
        Resource = resource,
        Params = Described(parameters, origin)?.ToJsonString(),
        Result = result,
        DurationMs = durationMs,
    };

    private static JsonObject? Described(JsonObject? parameters, AuditOrigin? origin)
    {
        var masked = parameters is null ? null : AuditMask.Apply(parameters);
        return origin is null ? masked : origin.AddTo(masked);
    }
}
