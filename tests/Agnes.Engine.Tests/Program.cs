using Agnes.Engine.Extracts;
using Agnes.Engine.Limits.Walls;
using Agnes.Engine.Query.Remote.Brokers;
using Agnes.Engine.Query.Workers;
using Agnes.Engine.Tests.Extracts;
using Agnes.Engine.Workers;

namespace Agnes.Engine.Tests;

/// <summary>Runs the tests, or plays the worker that a test has started: then the first argument names the role, as with <c>agnes-server</c>.</summary>
internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        SyscallFilter.CloseIfChild();
        return await RunAsync(args);
    }

    private static async Task<int> RunAsync(string[] args) => args switch
    {
        [Walls.Probe.Role] => await Walls.Probe.RunAsync(Console.In, Console.Out),
        ["extract-worker", ..] => await ExtractWorkerMain.RunAsync([new ScriptedConnector()], Console.OpenStandardInput(), Console.OpenStandardOutput(), CancellationToken.None),
        [WorkerPoolOptions.Role, ..] => await QueryWorkerMain.RunAsync(Console.OpenStandardInput(), Console.OpenStandardOutput(), CancellationToken.None),
        [RemoteBrokerOptions.Role] => await RemoteBrokerMain.RunAsync(
            [Query.Remote.ScriptedSystem.Engine], Console.OpenStandardInput(), Console.OpenStandardOutput(), CancellationToken.None),
        ["hold-database", var file] => await HoldAsync(file),
        ["measure"] => await Query.Measure.RunAsync(),
        _ when args.Any(arg => arg is "--server" or "--internal-msbuild-node") => await Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions),
        _ => await Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args),
    };

    /// <summary>Another program that has a database open for writing, until it is ended.</summary>
    private static async Task<int> HoldAsync(string file)
    {
        await using var connection = new DuckDB.NET.Data.DuckDBConnection($"Data Source={file}");
        connection.Open();
        Console.Write('x');
        await Console.In.ReadLineAsync();
        return 0;
    }
}
