using System.Text.Json;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Scans;

/// <summary>What is asked for. Absent and null mean the same: not asked for.</summary>
internal sealed record ScanBody(string TableId, IReadOnlyList<string>? Select, string? Where, long? Limit, IReadOnlyList<string>? OrderBy)
{
    private const int ListMax = 2_000;

    /// <exception cref="ProblemException">422: no object. 400: an object of the wrong shape.</exception>
    public static async Task<ScanBody> ReadAsync(HttpContext context)
    {
        var body = await RequestBody.ReadAsync(context);
        return new ScanBody(
            Text(body.Element("table_id"), "table_id") is { Length: > 0 } table ? table : throw Refusal("table_id is required"),
            Texts(body.Element("select"), "select"),
            Text(body.Element("where"), "where"),
            RowsMax(body.Element("limit")),
            Texts(body.Element("order_by"), "order_by"));
    }

    private static string? Text(JsonElement value, string name)
    {
        if (IsAbsent(value)) return null;
        if (value.ValueKind != JsonValueKind.String) throw Refusal($"{name} must be a text");
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            throw Refusal($"{name} must be valid Unicode"); // half a surrogate pair
        }
    }

    private static List<string>? Texts(JsonElement value, string name)
    {
        if (IsAbsent(value)) return null;
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() > ListMax) throw Refusal($"{name} must be a list of at most {ListMax} texts");
        return [.. value.EnumerateArray().Select(item => Text(item, $"each of {name}") ?? throw Refusal($"each of {name} must be a text"))];
    }

    private static long? RowsMax(JsonElement value)
    {
        if (IsAbsent(value)) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var limit) && limit >= 1 ? limit : throw Refusal("limit must be a whole number of at least 1");
    }

    private static bool IsAbsent(JsonElement value) => value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null;

    private static ProblemException Refusal(string text) => new(StatusCodes.Status400BadRequest, text);
}
