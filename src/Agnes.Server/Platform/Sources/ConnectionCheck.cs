namespace Agnes.Server.Platform.Sources;

/// <summary>A connection's source answers, and this is what may be read there.</summary>
/// <param name="Found">How many; counted no further than its kind counts for a check.</param>
/// <param name="Of">What was counted, for a sentence: <c>tables</c>, <c>data sets</c>.</param>
internal sealed record ConnectionCheck(int Found, string Of)
{
    /// <summary>Of what is asked for where all of it would be too much.</summary>
    public const int AskedMax = 100;

    /// <summary>Nothing there is nothing wrong.</summary>
    public bool MayBeEmpty { get; init; }

    /// <summary>There are this many, or more.</summary>
    public bool IsCut { get; init; }
}
