using System.Globalization;
using System.Text.Json;

namespace Agnes.Connectors.Keboola;

/// <summary>An export as it stands at Keboola.</summary>
/// <param name="Status"><c>waiting</c> and <c>processing</c> go on; <c>success</c> is the one good end.</param>
/// <param name="Created">By the service's own clock.</param>
/// <param name="FileId">Of an export that has ended well.</param>
/// <param name="Rows">That were exported, where it says so.</param>
/// <param name="RowsInAll">The same, or the rows of the table: the service's word for it is not sharp.</param>
internal sealed record StorageJob(string Id, string Status, DateTimeOffset? Created, string? Error, string? FileId, long? Rows,
    long? RowsInAll)
{
    private static readonly string[] GoingOn = ["waiting", "processing", "created", "terminating"];

    public bool IsSuccess => Status == "success";

    /// <summary>A status that nobody has told us of is an end: one that is waited for in vain is worse.</summary>
    public bool HasEnded => !GoingOn.Contains(Status, StringComparer.Ordinal);

    /// <exception cref="StorageException">It has no id.</exception>
    public static StorageJob From(JobMessage message)
    {
        if (TextOf(message.Id) is not { Length: > 0 } id) throw new StorageException("Keboola began an export and did not say its id.");
        DateTimeOffset? created = DateTimeOffset.TryParse(
            message.CreatedTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;
        var results = message.Results is { ValueKind: JsonValueKind.Object } given ? given : default;
        var file = TextOf(Member(Member(results, "file"), "id")) ?? TextOf(Member(results, "fileId"));
        return new StorageJob(
            id, message.Status ?? "", created, message.Error?.Message, file, Number(Member(results, "rowsCount")),
            Number(Member(results, "totalRowsCount")));
    }

    private static JsonElement? Member(JsonElement? of, string name) =>
        of is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty(name, out var value) ? value : null;

    /// <summary>Ids are numbers, and texts in newer stacks.</summary>
    private static string? TextOf(JsonElement? value) =>
        value is { ValueKind: JsonValueKind.Number or JsonValueKind.String } id ? id.ToString() : null;

    private static long? Number(JsonElement? value) =>
        value is { } given && long.TryParse(TextOf(given), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
}
