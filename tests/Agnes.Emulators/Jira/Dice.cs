namespace Agnes.Emulators.Jira;

/// <summary>
/// Numbers by a seed (SplitMix64): the same on every machine and runtime, and made without memory, so that 300,000 issues cost nothing.
/// </summary>
internal struct Dice(long seed, long number, long stream)
{
    private ulong _state = Mix(Mix(Mix((ulong)seed) ^ (ulong)number) ^ (ulong)stream);

    public ulong Next() => Mix(_state += 0x9E3779B97F4A7C15);

    /// <summary>0 … <paramref name="below"/> − 1.</summary>
    public int Below(int below) => (int)(Next() % (ulong)below);

    public long Below(long below) => (long)(Next() % (ulong)below);

    /// <summary>True once in so many throws.</summary>
    public bool OneIn(int throws) => Below(throws) == 0;

    public T Of<T>(IReadOnlyList<T> list) => list[Below(list.Count)];

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
