using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary><c>GET /api/attachments/jira/{key}/{id}</c>: a file of an issue, for whoever may read the table of attachments.</summary>
internal static class DownloadAttachment
{
    public const string ContentType = "application/octet-stream";
    private const string Table = "attachments";

    public static IResult Handle(HttpContext context, JiraFiles files, string key, string id)
    {
        var snapshot = context.Snapshot();
        var isTheirs = snapshot.PublishedNamesOf(JiraKind.KindName).Contains(Table)
            && NamedTable.ByName(snapshot, Table) is { } table && Access.CanRead(snapshot, context.Caller(), table);
        if (!isTheirs || files.Open(key, id) is not { } file) return Problem.NotFound("There is no such attachment.");
        context.Response.Headers.CacheControl = "private, no-cache"; // access can be revoked
        context.Response.Headers.XContentTypeOptions = "nosniff"; // somebody uploaded it: it is bytes, and no page
        return Results.File(file, ContentType, Path.GetFileName(file.Name)[(id.Length + 1)..]);
    }
}
