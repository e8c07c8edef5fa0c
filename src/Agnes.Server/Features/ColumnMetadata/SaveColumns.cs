using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;
using NearestNames = Agnes.Sql.NearestNames;

namespace Agnes.Server.Features.ColumnMetadata;

/// <summary><c>POST /api/admin/metadata/{table_id}</c>: adds, or lays over what is known. A field that is absent stays, null clears it.</summary>
internal static class SaveColumns
{
    private const int ColumnsMax = 5000;
    private const int NameLengthMax = 255;
    private const int WordLengthMax = 64;
    private const int DescriptionLengthMax = 4000;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, string table_id)
    {
        var body = await RequestBody.ReadAsync(context);
        var columns = Read(body);
        if (NamedTable.Resolve(context.Snapshot(), context.Caller(), table_id) is not { Id: { } id } table) return Problem.NotFound("Table not found");
        columns = Known(columns, table, body);
        var by = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                await ColumnMetadataStore.SaveAsync(write, id, columns);
                write.Audit(by, "column_metadata.saved", $"table:{id}", new JsonObject { ["columns"] = new JsonArray([.. columns.Select(column => (JsonNode)column.Column)]) });
            },
            context.RequestAborted);
        return JsonBody.Of(new SavedColumns("ok", columns.Count), ColumnMetadataJson.Default.SavedColumns);
    }

    /// <summary>The columns as the table spells them. Of a table that has not been published yet, nobody knows which there are: then any is taken.</summary>
    /// <exception cref="ProblemException">422: the table has no such column, so that nothing would ever show what is said of it.</exception>
    private static List<ColumnChange> Known(List<ColumnChange> columns, NamedTable table, RequestBody body)
    {
        if (table.Published is not { Columns: { Count: > 0 } published }) return columns;
        var names = published.Select(column => column.Name).ToDictionary(name => name, name => name, StringComparer.OrdinalIgnoreCase);
        foreach (var column in columns.Where(column => !names.ContainsKey(column.Column)))
        {
            var near = NearestNames.Of(column.Column, names.Keys);
            body.Refuse("columns", $"the table has no column '{column.Column}'{(near.Count > 0 ? $"; did you mean {string.Join(", ", near)}?" : "")}");
        }

        body.ThrowIfInvalid();
        return [.. columns.Select(column => column with { Column = names[column.Column] })];
    }

    /// <exception cref="ProblemException">422, with every fault.</exception>
    private static List<ColumnChange> Read(RequestBody body)
    {
        var columns = new List<ColumnChange>();
        var list = body.Element("columns");
        if (list.ValueKind == JsonValueKind.Undefined) body.String("columns"); // notes the missing field
        else if (list.ValueKind != JsonValueKind.Array) body.Refuse("columns", "must be a list");
        else if (list.GetArrayLength() is 0 or > ColumnsMax) body.Refuse("columns", $"must have 1 to {ColumnsMax} columns");
        body.ThrowIfInvalid();
        foreach (var (index, item) in list.EnumerateArray().Index()) columns.Add(ReadColumn(RequestBody.Of(item, index)));
        if (columns.GroupBy(column => column.Column, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice) body.Refuse("columns", $"names '{twice.Key}' twice");
        body.ThrowIfInvalid();
        return columns;
    }

    private static ColumnChange ReadColumn(RequestBody column)
    {
        var name = column.String("column_name");
        if (column.Has("column_name") && name.Length is 0 or > NameLengthMax) column.Refuse("column_name", $"must have 1 to {NameLengthMax} characters");
        var change = new ColumnChange(
            name,
            new Said(column.Has("basetype"), Text("basetype", WordLengthMax)),
            new Said(column.Has("description"), Text("description", DescriptionLengthMax)),
            Text("confidence", WordLengthMax) ?? ColumnMetadataRow.Manual,
            Text("source", WordLengthMax) ?? ColumnMetadataRow.Manual);
        column.ThrowIfInvalid();
        return change;

        string? Text(string field, int lengthMax)
        {
            var text = column.OptionalString(field)?.Trim();
            if (text?.Length > lengthMax) column.Refuse(field, $"must have at most {lengthMax} characters");
            return text is "" ? null : text;
        }
    }
}

internal sealed record SavedColumns(string Status, int Count);
