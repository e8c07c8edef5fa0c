using Agnes.Engine.Extracts;
using Agnes.Engine.Parts;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Tables;

/// <summary><c>GET /api/admin/registry/{id}/set-aside?limit=</c>: the rows of a table's files that were left out of it.</summary>
internal static class ShowSetAside
{
    private const int LimitDefault = 100;
    private const int LimitMax = 1_000;

    public static IResult Handle(HttpContext context, DataFolder folder, SourceKinds kinds, string id, string? limit = null)
    {
        var rowsMax = QueryNumber.Read("limit", limit, LimitDefault, 1, LimitMax);
        if (context.Snapshot().Table(id) is not { } row) return Problem.NotFound($"There is no registered table '{id}'.");
        var (count, rows) = kinds.PulledBy(context.Snapshot(), row) is { } own ? SetAside.Read(folder, own.Name, row.Name, rowsMax) : (0, []);
        return JsonBody.Of(new SetAsideRows(row.Id, count, rows), TablesJson.Default.SetAsideRows);
    }
}
