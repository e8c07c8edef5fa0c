using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server;

/// <summary>One binary: the web server, its workers, and what opens the state offline. The first argument says which.</summary>
internal static class Program
{
    private const int ExitUsage = 2;
    private const int ExitRefused = 3;

    public static async Task<int> Main(string[] args)
    {
        switch (args)
        {
            case ["--version", ..]:
                Console.WriteLine(Platform.Http.Conventions.ProductVersion);
                return 0;
            case ["--help" or "-h", ..]:
                Console.WriteLine(Arguments.Usage);
                return 0;
            default:
                return await ServeAsync(args);
        }
    }

    private static async Task<int> ServeAsync(string[] args)
    {
        try
        {
            var options = ServerOptions.From(args, Environment.GetEnvironmentVariable);
            await using var app = await ServerApp.BuildAsync(options);
            await app.RunAsync();
            return 0;
        }
        catch (OptionsException fault)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return ExitUsage;
        }
        catch (StateRefusedException fault)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return ExitRefused;
        }
    }
}
