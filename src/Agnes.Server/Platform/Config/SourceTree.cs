namespace Agnes.Server.Platform.Config;

/// <summary>Where this program was built, if it runs from there.</summary>
internal static class SourceTree
{
    private const string Pack = "deploy/pack";

    /// <summary>What packs the command line for the machine that the server runs on, typed in the source tree.</summary>
    public const string PackHere = $"{Pack} here";

    /// <summary>Where <c>deploy/pack</c> puts archives if it is not told another folder; null where this program is installed.</summary>
    public static string? DistDir { get; } = Find(AppContext.BaseDirectory);

    private static string? Find(string program)
    {
        var built = new DirectoryInfo(program);
        while (built is not null && built.Name != "artifacts") built = built.Parent;
        return built?.Parent is { } root && File.Exists(Path.Combine(root.FullName, Pack)) ? Path.Combine(built.FullName, "dist") : null;
    }
}
