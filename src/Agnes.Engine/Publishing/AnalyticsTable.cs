using Agnes.Protocol;

namespace Agnes.Engine.Publishing;

/// <summary>A view of the courtesy file <c>analytics/server.duckdb</c>.</summary>
public sealed record AnalyticsTable(string Name, IReadOnlyList<TablePart> Parts);
