using Agnes.Protocol;

namespace Agnes.Engine.Extracts;

/// <summary>What a pull of a table would bring, from what its source says of it without bringing it.</summary>
/// <param name="How"><c>full</c>, <c>incremental</c>, <c>partitioned</c>, <c>changed_files</c> or <c>unchanged</c>.</param>
public sealed record TableForecast(string Table, string How)
{
    /// <summary>From where on it would be read, as a person reads it; null: from the start.</summary>
    public string? Since { get; init; }

    /// <summary>Of what would be brought, as its source estimates; null: it does not say that cheaply.</summary>
    public long? Rows { get; init; }

    /// <summary>The same, as it lies there.</summary>
    public long? Bytes { get; init; }

    /// <summary>That it would have; null: only reading it would tell.</summary>
    public IReadOnlyList<TableColumn>? Columns { get; init; }

    public string? Note { get; init; }

    /// <summary>Why it could not be pulled as things are; null: nothing is known to be in its way.</summary>
    public string? Fault { get; init; }
}
