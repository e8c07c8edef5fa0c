using System.Text;
using System.Text.Json.Nodes;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>Which rows of which table. What is null was not asked for.</summary>
internal sealed record SnapshotRequest(string TableId, IReadOnlyList<string>? Select, string? Where, long? Limit, IReadOnlyList<string>? OrderBy)
{
    public static SnapshotRequest Of(SnapshotRecord record) => new(record.TableId, record.Select, record.Where, record.Limit, record.OrderBy);

    public JsonObject ToJson()
    {
        var json = new JsonObject { ["table_id"] = TableId };
        if (Select is not null) json["select"] = List(Select);
        if (Where is not null) json["where"] = Where;
        if (Limit is not null) json["limit"] = Limit;
        if (OrderBy is not null) json["order_by"] = List(OrderBy);
        return json;
    }

    /// <summary>For a table of this workspace. The predicate is the user's SQL; the session that runs it can only read.</summary>
    /// <exception cref="CliException">An order that is not a column with a direction.</exception>
    public string ToSql(string table)
    {
        var sql = new StringBuilder("SELECT ");
        sql.AppendJoin(", ", Select?.Select(SqlText.Identifier) ?? ["*"]);
        sql.Append(" FROM ").Append(SqlText.Identifier(table));
        if (Where is not null) sql.Append(" WHERE (").Append(Where).Append("\n)");
        if (OrderBy is not null) sql.Append(" ORDER BY ").AppendJoin(", ", OrderBy.Select(Order));
        if (Limit is { } limit) sql.Append(FormattableString.Invariant($" LIMIT {limit}"));
        return sql.ToString();
    }

    private static string Order(string term)
    {
        var words = term.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return words switch
        {
            [var column] => SqlText.Identifier(column),
            [var column, var direction] when direction.ToUpperInvariant() is "ASC" or "DESC" => $"{SqlText.Identifier(column)} {direction.ToUpperInvariant()}",
            _ => throw new CliException($"--order-by takes columns, each perhaps with ASC or DESC; not '{term}'.", ExitCode.Usage),
        };
    }

    private static JsonArray List(IReadOnlyList<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
