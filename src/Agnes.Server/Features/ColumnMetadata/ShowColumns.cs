using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary><c>GET /api/admin/metadata/{table_id}</c>, for whoever may read the table. An admin who names none gets an empty list.</summary>
internal static class ShowColumns
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string table_id)
    {
        var columns = context.Table() is { Id: { } id } ? await ColumnMetadataStore.ListAsync(state, id, context.RequestAborted) : [];
        return JsonBody.Of(new JsonObject { ["table_id"] = table_id, ["columns"] = new JsonArray([.. columns.Select(column => (JsonNode)column.ToJson())]) });
    }
}
