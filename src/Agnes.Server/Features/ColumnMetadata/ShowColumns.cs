using System.Text.Json.Serialization;
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
        return JsonBody.Of(new DescribedColumns(table_id, [.. columns.Select(ColumnView.Of)]), ColumnMetadataJson.Default.DescribedColumns);
    }
}

internal sealed record DescribedColumns(string TableId, IReadOnlyList<ColumnView> Columns);

internal sealed record ColumnView(
    string TableId, string ColumnName, string? Basetype, string? Description, string Confidence, string Source, string UpdatedAt)
{
    public static ColumnView Of(ColumnMetadataRow row) => new(
        row.TableId, row.ColumnName, row.Basetype, row.Description, row.Confidence, row.Source, Timestamps.Spaced(row.UpdatedAt));
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(DescribedColumns))]
[JsonSerializable(typeof(SavedColumns))]
[JsonSerializable(typeof(PushedColumns))]
internal sealed partial class ColumnMetadataJson : JsonSerializerContext;
