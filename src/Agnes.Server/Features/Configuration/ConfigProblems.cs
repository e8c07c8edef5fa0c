using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Configuration;

/// <summary>Says at the start what could not be read of the configuration, and so counts as closed.</summary>
internal static partial class ConfigProblems
{
    public static void Log(IServiceProvider services)
    {
        var log = services.GetRequiredService<ILoggerFactory>().CreateLogger("Agnes.Server.Configuration");
        foreach (var problem in services.GetRequiredService<ServerOptions>().ConfigProblems) LogProblem(log, problem);
        var options = services.GetRequiredService<ServerOptions>();
        var unread = options.Settings.Unread(SettingLayers.Open(options, services.GetRequiredService<SecretStore>()).Instance.Merged);
        if (unread.Count > 0) LogUnread(log, string.Join(", ", unread));
    }

    [LoggerMessage(EventId = 5602, Level = LogLevel.Warning, Message = "Configuration: nothing reads these keys of instance.yaml, so they have no effect: {Keys}")]
    private static partial void LogUnread(ILogger log, string keys);

    [LoggerMessage(EventId = 5601, Level = LogLevel.Warning, Message = "Configuration: {Problem}")]
    private static partial void LogProblem(ILogger log, string problem);
}
