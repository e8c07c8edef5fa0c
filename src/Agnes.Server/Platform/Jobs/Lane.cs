namespace Agnes.Server.Platform.Jobs;

/// <summary>Jobs that wait for the same thing, with so many running at once in a process: one that waits for a far server holds up none that waits for the disk.</summary>
/// <param name="Slots">How many of its jobs run at once.</param>
internal sealed record Lane(string Name, int Slots)
{
    /// <summary>Reads and writes files.</summary>
    public static Lane Disk { get; } = new("disk", 4);

    /// <summary>Waits for servers elsewhere.</summary>
    public static Lane Network { get; } = new("network", 4);

    /// <summary>Waits for language models, which are slow and cost money.</summary>
    public static Lane Llm { get; } = new("llm", 2);

    /// <summary>Reads and writes the state, and little of it.</summary>
    public static Lane Light { get; } = new("light", 4);

    public static IReadOnlyList<Lane> BuiltIn { get; } = [Disk, Network, Llm, Light];
}
