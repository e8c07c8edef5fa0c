namespace Agnes.Engine.Query;

/// <summary>What is known of a statement without running it.</summary>
/// <param name="Status"><see cref="StatementStatus.Ok"/>: it parses, and its names and types agree with the tables.</param>
/// <param name="Tables">Every table that it names, as written; empty where it is not a SELECT at all.</param>
public sealed record StatementCheck(StatementStatus Status, string? Message, IReadOnlyList<string> Tables)
{
    public bool IsBound => Status == StatementStatus.Ok;

    /// <summary>All tables and functions that it names may be used, so that it reads <see cref="Tables"/> and nothing else, even where a column or a type does not fit.</summary>
    public bool IsAllowed { get; init; }

    /// <summary>It is exactly one SELECT, whatever became of its names.</summary>
    public required bool IsSelect { get; init; }
}
