using System.Text;
using System.Text.Json;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Serving;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Catalog;

/// <summary><c>GET /api/v2/sample/{table_id}?n=5</c>: a few rows, read in a query worker like any statement of the caller's.</summary>
internal static class ShowSample
{
    private const int RowsDefault = 5;
    private const int RowsMax = 100;

    public static async Task<IResult> HandleAsync(
        HttpContext context, string table_id, Scopes scopes, Samples samples, SourceKinds kinds, string? n = null)
    {
        var rows = QueryNumber.Read("n", n, RowsDefault, 1, RowsMax);
        if (CatalogTables.Refuse(context, kinds, table_id) is { } refusal) return refusal;
        var table = context.Table()!;
        var caller = context.Caller();
        if (scopes.Of(context.Snapshot(), caller).Find(table.Name) is not { } scoped) return Problem.NotFound($"table '{table_id}' not found");

        var (failure, sample) = await samples.OfAsync(context, scoped, rows);
        return failure is null
            ? new Answer(table_id, sample, table.Row?.SourceType ?? "")
            : StatementAnswer.Refuse(context, failure);
    }

    private sealed class Answer(string tableId, byte[] rows, string source) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            var start = Encoding.UTF8.GetBytes($"{{\"table_id\":{JsonSerializer.Serialize(tableId, TextJson.Default.String)},\"rows\":");
            var end = Encoding.UTF8.GetBytes($",\"source\":{JsonSerializer.Serialize(source, TextJson.Default.String)}}}");
            var response = httpContext.Response;
            response.ContentType = "application/json";
            response.Headers.CacheControl = "no-store";
            response.ContentLength = start.Length + rows.Length + end.Length;
            foreach (var piece in new[] { start, rows, end }) await response.Body.WriteAsync(piece, httpContext.RequestAborted);
        }
    }
}
