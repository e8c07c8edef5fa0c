using System.Text.Json;

namespace Agnes.Protocol;

/// <summary>The body of <c>POST /api/query</c>.</summary>
public sealed record QueryRequest(string Sql, int Limit = QueryRequest.LimitDefault)
{
    public const int LimitDefault = 1000;
    public const int LimitMax = 1_000_000;
}

/// <summary>Cells are numbers, booleans, strings or null; everything else arrives as text.</summary>
public sealed record QueryResult(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<JsonElement>> Rows, long RowCount, bool Truncated);
