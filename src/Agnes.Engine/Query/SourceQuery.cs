using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Query.Remote;
using Agnes.Sql;

namespace Agnes.Engine.Query;

/// <summary>
/// A query that an admin wrote over what one other system holds, in the system's dialect. In the engine's it names tables as
/// <c>table</c> or
/// <c>schema.table</c>, in BigQuery's as <c>dataset.table</c> or <c>project.dataset.table</c>.
/// </summary>
/// <param name="RelationOf">
/// What the system calls a table, by the schema (empty: none was named) and its name. Not asked in BigQuery's dialect, whose names are
/// whole.
/// </param>
public sealed record SourceQuery(string Sql, IRemoteTables System, Func<string, string, string> RelationOf)
{
    public SqlDialect Dialect { get; init; }

    /// <summary>
    /// The projects of BigQuery that it may name; where it names none, the first is meant. Empty: the connection has none.
    /// </summary>
    public IReadOnlyList<string> Projects { get; init; } = [];

    /// <summary>
    /// Equal for attempts at the same thing: a system that bills runs the query once for all of them and gives each its answer. Null:
    /// every attempt is one of its own.
    /// </summary>
    public string? Once { get; init; }
}

/// <summary>Names of two words as one: those of a question are plain.</summary>
internal static class SourceNames
{
    /// <summary>JSON levels of a tree; an expression takes two or three of them.</summary>
    private const int DepthMax = 600;

    public static string Of(NamedTable table) => table.Schema.Length == 0 ? table.Name : $"{table.Schema}.{table.Name}";

    public static Refusal? Refuse(NamedTable table) => table.Catalog.Length == 0
        ? null
        : new Refusal(
            RefusalKind.TableUnknown,
            $"'{StatementGuard.Shorten(table.ToString())}' has three words. Name a table of the connection as schema.table.");

    /// <summary>A table of two words becomes one of one word that is called as before; a column of three words loses its first.</summary>
    /// <exception cref="RemoteException">It is nested too deeply.</exception>
    public static string Rename(string tree)
    {
        JsonNode root;
        try
        {
            root = JsonNode.Parse(tree, documentOptions: new JsonDocumentOptions { MaxDepth = DepthMax })!;
        }
        catch (JsonException e)
        {
            throw new RemoteException(RemoteFault.Question, "The query is nested too deeply. Split it into smaller queries.", e);
        }

        var nodes = Nodes(root);
        var renamed = new HashSet<(string?, string?)>();
        foreach (var table in nodes.Where(node => Text(node["type"]) == "BASE_TABLE"))
        {
            if (Text(table["schema_name"]) is not { Length: > 0 } schema) continue;
            var name = Text(table["table_name"]);
            renamed.Add((Folded(schema), Folded(name)));
            if (Text(table["alias"]) is null or "") table["alias"] = name;
            (table["table_name"], table["schema_name"]) = ($"{schema}.{name}", "");
        }

        foreach (var column in nodes.Where(node => Text(node["type"]) == "COLUMN_REF"))
        {
            if (column["column_names"] is not JsonArray { Count: > 2 } names) continue;
            if (renamed.Contains((Folded(Text(names[0])), Folded(Text(names[1]))))) names.RemoveAt(0);
        }

        return root.ToJsonString();
    }

    private static List<JsonObject> Nodes(JsonNode root)
    {
        var found = new List<JsonObject>();
        var open = new Stack<JsonNode>([root]);
        while (open.TryPop(out var node))
        {
            if (node is JsonObject one) found.Add(one);
            var below = node is JsonArray list ? list : (node as JsonObject)?.Select(property => property.Value) ?? [];
            foreach (var inner in below) if (inner is JsonArray or JsonObject) open.Push(inner);
        }

        return found;
    }

    private static string? Folded(string? name) => name?.ToUpperInvariant();

    private static string? Text(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;
}
