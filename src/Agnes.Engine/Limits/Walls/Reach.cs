namespace Agnes.Engine.Limits.Walls;

/// <summary>What a child was given: the kernel lets it open this, besides the runtime's own files and its scratch folder, and nothing else.</summary>
/// <param name="Reads">Files, and folders with everything below them. What is not there is left out.</param>
/// <param name="Writes">The same, for reading, writing, making, linking and removing.</param>
/// <param name="Network">Whether it may make connections; only a connector that says so does.</param>
public sealed record Reach(IReadOnlyList<string> Reads, IReadOnlyList<string> Writes, bool Network = false)
{
    /// <summary>
    /// Folders whose programs it may run: for a program of the operator's, which is no role of ours and cannot close itself. It has no filter of system calls then; files,
    /// TCP and signals are held all the same.
    /// </summary>
    public IReadOnlyList<string> Runs { get; init; } = [];

    /// <summary>Its scratch folder alone.</summary>
    public static Reach Nothing { get; } = new([], []);
}

/// <summary>What the operator wants of the walls around children (<c>AGNES_WALLS</c>).</summary>
public enum WallMode
{
    /// <summary>As much as the kernel offers; what it does not is said in health.</summary>
    Available,

    /// <summary>No child is started, and no server, where any of them is missing.</summary>
    Required,

    /// <summary>None, e.g. where an unusual system keeps the runtime's files in places that are not known here.</summary>
    Off,
}
