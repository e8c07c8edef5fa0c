using System.Net.Sockets;
using Agnes.Connectors;
using Agnes.Engine.Limits.Walls;
using Agnes.Protocol;
using Agnes.Server.Commands;
using Agnes.Server.Commands.Import;
using Agnes.Server.Commands.Scheduler;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;
using Microsoft.AspNetCore.Connections;

namespace Agnes.Server;

/// <summary>One binary: the web server, its workers, and what opens the state offline. The first argument says which.</summary>
internal static class Program
{
    private const int ExitUsage = 2;
    private const int ExitRefused = 3;

    public static async Task<int> Main(string[] args)
    {
        OwnerOnly.FromNowOn();
        SyscallFilter.CloseIfChild();
        if (WorkerRoles.Of(args) is { } role) return await role();
        switch (args)
        {
            case ["--version", ..]:
                Console.WriteLine(Platform.Http.Conventions.ProductVersion);
                return 0;
            case ["--help" or "-h", ..]:
                Console.WriteLine(Arguments.Usage);
                Console.WriteLine();
                Console.WriteLine(StateCommands.Usage);
                Console.WriteLine();
                Console.WriteLine(ImportOptions.Usage);
                Console.WriteLine();
                Console.WriteLine(BreakGlass.Usage);
                return 0;
            case ["break-glass", ..]:
                return await RunAsync(() => BreakGlass.RunAsync(args[1..], Environment.GetEnvironmentVariable, Console.In, Console.Out, CancellationToken.None));
            case [ImportCommand.Name, ..]:
                return await RunAsync(() => ImportCommand.RunAsync(args[1..], Environment.GetEnvironmentVariable, Console.Out, CancellationToken.None));
            case [var command, ..] when StateCommands.Knows(command):
                return await RunAsync(() => StateCommands.RunAsync(command, args[1..], Environment.GetEnvironmentVariable, Console.Out, CancellationToken.None));
            default:
                return await RunAsync(() => ServeAsync(args));
        }
    }

    private static async Task<int> ServeAsync(string[] args)
    {
        if (SchedulerOptions.IsAsked(args, Environment.GetEnvironmentVariable))
            return await SchedulerMain.RunAsync(SchedulerOptions.From(args, Environment.GetEnvironmentVariable), CancellationToken.None);
        var options = ServerOptions.From(args, Environment.GetEnvironmentVariable);
        UnfinishedImport.Refuse(options);
        await using var app = await ServerApp.BuildAsync(options);
        try
        {
            await app.StartAsync(CancellationToken.None);
        }
        catch (Exception fault) when (fault is SocketException or IOException { InnerException: AddressInUseException or SocketException })
        {
            throw new OptionsException($"The server cannot listen: {fault.Message.TrimEnd('.')}. End the program that is there, or choose another address: --urls http://localhost:8001");
        }
        await LastAddress.SaveAsync(options, app.Urls, CancellationToken.None);
        await app.WaitForShutdownAsync(CancellationToken.None);
        return 0;
    }

    /// <summary>What the operator can put right is said in one line on standard error, with an exit code of its own.</summary>
    private static async Task<int> RunAsync(Func<Task<int>> run)
    {
        try
        {
            return await run();
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
        catch (WallException fault)
        {
            await Console.Error.WriteLineAsync(fault.Message);
            return ExitRefused;
        }
        catch (UnauthorizedAccessException fault)
        {
            await Console.Error.WriteLineAsync($"{fault.Message} Give this user the right to it, or choose another folder: --data-dir DIR");
            return ExitRefused;
        }
    }
}
