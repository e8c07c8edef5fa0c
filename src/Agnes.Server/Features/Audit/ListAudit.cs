using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Audit;

internal static class ListAudit
{
    private const int LimitDefault = 100;

    public static async Task<IResult> HandleAsync(HttpContext context, AuditLog audit, CancellationToken stop)
    {
        var query = new RequestQuery(context);
        var filter = AuditQuery.Filter(query);
        var limit = query.Integer("limit", LimitDefault, min: 1, max: AuditLog.PageMax);
        var cursor = query.Text("cursor");
        query.ThrowIfInvalid();
        try
        {
            var page = await audit.ReadAsync(filter, cursor, limit, stop);
            var entries = new JsonArray([.. page.Entries.Select(entry => Entry(entry, context.Snapshot()))]);
            return JsonBody.Of(new JsonObject { ["entries"] = entries, ["count"] = entries.Count, ["next_cursor"] = page.Next });
        }
        catch (FormatException fault)
        {
            return Problem.Detail(StatusCodes.Status400BadRequest, fault.Message);
        }
    }

    /// <param name="now">Tells the e-mail that belongs to the user's id; none where the account is gone.</param>
    public static JsonObject Entry(AuditEntry entry, Snapshot now) => new()
    {
        ["id"] = entry.Id,
        ["timestamp"] = Timestamps.Spaced(entry.Timestamp),
        ["user_id"] = entry.UserId,
        ["email"] = entry.UserId is { } id ? now.User(id)?.Email : null,
        ["action"] = entry.Action,
        ["resource"] = entry.Resource,
        ["params"] = Params(entry.Params),
        ["result"] = entry.Result,
        ["duration_ms"] = entry.DurationMs,
    };

    private static JsonNode? Params(string? text)
    {
        if (text is null) return null;
        try
        {
            return JsonNode.Parse(text);
        }
        catch (JsonException)
        {
            // A row of another program's making is shown as it is.
            return text;
        }
    }
}

/// <summary>For the description: written by <see cref="ListAudit"/>.</summary>
internal sealed record AuditListAnswer(IReadOnlyList<AuditEntryAnswer> Entries, int Count, string? NextCursor);

/// <inheritdoc cref="AuditListAnswer"/>
/// <param name="Params">An object, or the text of another program's making.</param>
internal sealed record AuditEntryAnswer(
    string Id, string Timestamp, string? UserId, string? Email, string Action, string? Resource, JsonNode? Params, string? Result,
    int? DurationMs);
