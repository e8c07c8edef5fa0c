using System.Text.Json;
using Agnes.Engine.Query;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Web;
using Microsoft.AspNetCore.Mvc;

namespace Agnes.Server.Features.Catalog.Pages;

/// <summary><c>GET /catalog/{table}/sample</c>: a query worker reads the rows, so this may take a moment, or fail alone.</summary>
internal static class ShowSample
{
    private const int RowsMax = 20;

    public static async Task<IResult> HandleAsync(
        string table, HttpContext context, [FromServices] RemoteColumns remote, [FromServices] Samples samples,
        [FromServices] Scopes scopes)
    {
        if (ShowTable.Find(context, table) is not { } found) return ShowTable.Missing(table);
        if (scopes.Of(context.Snapshot(), context.Caller()).Find(found.Name) is not { IsEmpty: false } scoped) return ShowTable.Missing(table);
        var columns = await remote.OfAsync(context, scoped);

        var (failure, body) = await samples.OfAsync(context, scoped, RowsMax);
        if (failure is not null) return Problem.Detail(Status(failure.Status), failure.Message ?? "The sample could not be read.");

        using var rows = JsonDocument.Parse(body);
        return Page.Show<SamplePage>(new SampleModel(
            found.Name,
            CatalogEntry.Address(found.Id ?? found.Name),
            columns,
            [.. rows.RootElement.EnumerateArray().Select(row => Cells(columns, row))],
            scoped.Source is RowSource.Remote ? null : found.Published?.Rows));
    }

    private static IReadOnlyList<SampleCell> Cells(IReadOnlyList<Protocol.TableColumn> columns, JsonElement row) =>
        [.. columns.Select(column => SampleCell.Of(row.TryGetProperty(column.Name, out var value) ? value : default))];

    private static int Status(StatementStatus status) => status switch
    {
        StatementStatus.Revoked => StatusCodes.Status403Forbidden,
        StatementStatus.Busy => StatusCodes.Status429TooManyRequests,
        StatementStatus.RemoteFailed => StatusCodes.Status502BadGateway,
        StatementStatus.PartDamaged => StatusCodes.Status503ServiceUnavailable,
        StatementStatus.TimedOut => StatusCodes.Status504GatewayTimeout,
        _ => StatusCodes.Status400BadRequest,
    };
}
