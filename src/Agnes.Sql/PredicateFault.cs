namespace Agnes.Sql;

/// <summary>Why a predicate is refused.</summary>
/// <param name="Kind">One of the words that clients branch on.</param>
/// <param name="Detail">What <paramref name="Name"/> is, <c>column</c> or <c>function</c>; null where there is nothing to name.</param>
public sealed record PredicateFault(string Kind, string? Detail = null, string? Name = null)
{
    public const string Unparseable = "parse_error";
    public const string SeveralStatements = "multi_statement";
    public const string Disallowed = "disallowed_node";
    public const string NestedSelect = "nested_select";
    public const string Writes = "ddl_or_dml";
    public const string CrossTable = "cross_table_reference";
    public const string Column = "unknown_column";
    public const string Function = "unknown_function";
}
