using Agnes.Engine.Limits.Walls;

namespace Agnes.Connectors.Tests;

/// <summary>The test program is its own worker: children are started with a role as first argument, exactly as <c>agnes-server</c> would be.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        SyscallFilter.CloseIfChild();
        return await RunAsync(args);
    }

    private static async Task<int> RunAsync(string[] args) => args switch
    {
        _ when WorkerRoles.Of(args) is { } role => await role(),
        _ when args.Any(arg => arg is "--server" or "--internal-msbuild-node") => await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
    };
}
