using Agnes.Engine.Limits;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Parts;

namespace Agnes.Server.Platform.Config;

/// <summary>At the start: whether children get the walls that are wanted, and what they go without.</summary>
internal static partial class ChildWalls
{
    /// <summary>Who plays children's roles, and how they are held.</summary>
    public static WorkerProgram ProgramOf(ServerOptions options)
    {
        var program = WorkerProgram.Default with { Walls = options.Walls };
        if (options.Walls == WallMode.Off || !OperatingSystem.IsLinux()) return program;
        string[] own = [options.StateDir, .. Directory.Exists(options.ConfigDir) ? [options.ConfigDir] : (string[])[], .. options.ReleaseKeyFile is { } key ? [key] : (string[])[]];
        var parts = new DataFolder(options.DataDir).Parts;
        return program with { Exposed = RuntimeFiles.Exposed(program.File, own.Prepend(options.DataDir), [parts]) };
    }

    /// <exception cref="OptionsException">They are required, and the system does not offer them all.</exception>
    public static void Check(ServerOptions options, ILogger log)
    {
        var program = ProgramOf(options);
        try
        {
            WalledStart.RefuseWithout(program);
        }
        catch (WallException missing)
        {
            throw new OptionsException(missing.Message);
        }

        if (program.MissingWalls is { Count: > 0 } without) LogMissing(log, string.Join(", ", without));
    }

    [LoggerMessage(1023, LogLevel.Warning, "Child processes run without: {Missing}. See docs/operator/security.md; AGNES_WALLS=required refuses to start like this.")]
    private static partial void LogMissing(ILogger log, string missing);
}
