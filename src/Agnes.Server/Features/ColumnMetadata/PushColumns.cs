using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary><c>POST /api/admin/metadata/{table_id}/push</c>: types and descriptions to where the table comes from, column by column. What it did not take is said and can be pushed again.</summary>
internal static class PushColumns
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, SourceKinds kinds, IServiceProvider services, string table_id)
    {
        if (NamedTable.Resolve(context.Snapshot(), context.Caller(), table_id) is not { Id: { } id, Row: { } table }) return Problem.NotFound($"Table '{table_id}' not found");
        if (table.SourceType is null || kinds.OfType(table.SourceType)?.ColumnTarget is not { } target)
        {
            var takers = string.Join(" or ", kinds.All.Where(kind => kind.ColumnTarget is not null).Select(kind => kind.Title));
            return Problem.Detail(StatusCodes.Status400BadRequest, $"Table '{table_id}' comes from {table.SourceType ?? "no source"}; only {takers} takes metadata back.");
        }

        if (target.NotSetUp(services) is { } notSetUp) return Problem.Detail(StatusCodes.Status500InternalServerError, notSetUp);
        var columns = (await ColumnMetadataStore.ListAsync(state, id, context.RequestAborted)).Where(column => column.Basetype is not null || column.Description is not null).ToList();
        if (columns.Count == 0) return Answer(new PushedColumns("ok", 0, Message: "Nothing is known of its columns yet."));

        var errors = new List<string>();
        var pushed = 0;
        foreach (var column in columns)
        {
            var answer = await target.PushAsync(services, table, new DescribedColumn(column.ColumnName, column.Basetype, column.Description), context.RequestAborted);
            if (answer.Fault is { } fault) errors.Add($"{column.ColumnName}: {fault}");
            else pushed++;
            if (answer.WasReached) continue;
            if (columns.Count - pushed - errors.Count is > 0 and var left) errors.Add($"{left} more columns were not tried.");
            break;
        }

        var by = context.Caller().UserId;
        await state.WriteAsync(
            write =>
            {
                write.Audit(by, "column_metadata.pushed", $"table:{id}", new JsonObject { ["pushed"] = pushed, ["failed"] = columns.Count - pushed }, pushed == columns.Count ? "ok" : "error");
                return Task.CompletedTask;
            },
            CancellationToken.None); // it has happened, whoever is still waiting for the answer
        return Answer(new PushedColumns("ok", pushed, Errors: errors.Count > 0 ? errors : null));
    }

    private static IResult Answer(PushedColumns pushed) => JsonBody.Of(pushed, ColumnMetadataJson.Default.PushedColumns);
}

/// <param name="Message">Only where there was nothing to push.</param>
/// <param name="Errors">Only where something was not taken.</param>
internal sealed record PushedColumns(
    string Status, int Pushed,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Message = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<string>? Errors = null);
