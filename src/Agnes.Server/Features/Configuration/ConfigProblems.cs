using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Configuration;

/// <summary>Says at the start what could not be read of the configuration, and so counts as closed.</summary>
internal static partial class ConfigProblems
{
    public static void Log(IServiceProvider services)
    {
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Agnes.Server.Configuration");
        foreach (var problem in services.GetRequiredService<ServerOptions>().ConfigProblems) LogProblem(log, problem);
    }

    [LoggerMessage(EventId = 5601, Level = LogLevel.Warning, Message = "Configuration: {Problem}")]
    private static partial void LogProblem(ILogger log, string problem);
}
