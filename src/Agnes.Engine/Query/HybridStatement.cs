namespace Agnes.Engine.Query;

/// <summary>A statement, and what BigQuery has to answer for it first.</summary>
/// <param name="Asked">In BigQuery's dialect, by the names that <paramref name="Sql"/> calls the answers.</param>
public sealed record HybridStatement(string Sql, IReadOnlyList<(string Alias, string Sql)> Asked);

/// <summary>What answers of BigQuery may be.</summary>
/// <param name="Rows">Of each.</param>
/// <param name="Bytes">Of all together, as they lie on the disk.</param>
public sealed record AnswersMost(long Rows, long Bytes);

/// <param name="Alias">The answer at which it failed; null: none, or the statement over the answers.</param>
public sealed record HybridOutcome(StatementOutcome Outcome, string? Alias, HybridFault Fault);

public enum HybridFault
{
    /// <summary>The text: it is refused, or not understood.</summary>
    Query,

    /// <summary>An answer has more rows than it may have.</summary>
    Rows,

    /// <summary>The answers have more bytes than they may have.</summary>
    Memory,

    /// <summary>BigQuery refuses or fails, or would read too much.</summary>
    System,
}
