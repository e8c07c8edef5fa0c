namespace Agnes.Emulators.Keboola;

/// <summary>Where something can go wrong.</summary>
public enum Step
{
    List,
    Table,
    Export,
    Job,
    File,
    Manifest,
    Slice,
}

/// <summary>What goes wrong there, once.</summary>
/// <param name="Status">Answered instead; 0: what the other fields say.</param>
public sealed record Trouble(int Status = 0)
{
    public int? RetryAfterSeconds { get; init; }

    /// <summary>Nothing more comes, and the connection stays.</summary>
    public bool Stalls { get; init; }

    /// <summary>The head promises the whole body, half of it comes, and the connection ends.</summary>
    public bool BreaksOff { get; init; }

    /// <summary>Another file lies there, shorter, and nothing in the answer says so.</summary>
    public bool IsCutOff { get; init; }

    /// <summary>A page for people, with status 200.</summary>
    public bool IsNoJson { get; init; }

    /// <summary>A body of the documented form without what it is asked for.</summary>
    public bool IsEmpty { get; init; }
}

/// <summary>Whose stores an exported file lies in.</summary>
public enum Cloud
{
    /// <summary>Slices have signed addresses, as some stacks give.</summary>
    Signed,
    S3,
    Gcs,
    Azure,
}
