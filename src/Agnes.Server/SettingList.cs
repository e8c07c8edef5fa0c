using Agnes.Server.Commands.Scheduler;
using Agnes.Server.Features.Configuration;
using Agnes.Server.Features.Health;
using Agnes.Server.Features.Prompts;
using Agnes.Server.Features.Query;
using Agnes.Server.Features.Sources.Jira;
using Agnes.Server.Features.Sources.Keboola;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server;

/// <summary>
/// All settings, a line for each part of the product that reads some, in the order in which they are written down for people.
/// </summary>
internal static class SettingList
{
    public static SettingSet All { get; } = new(
    [
        .. ServerSettings.Groups,
        .. LimitOptions.Settings,
        ScanOptions.Settings,
        AttachOptions.Settings,
        MetadataOptions.Settings,
        AlertOptions.Settings,
        SchedulerOptions.Settings,
        HybridOptions.Settings,
        .. SignInOptions.Settings,
        InstanceFacts.Settings,
        .. SourceList.All.Select(kind => kind.Declared),
        KeboolaOptions.Settings,
        JiraOptions.Settings,
        ConnectionSecrets.Settings,
        ShowVersion.Settings,
        Foreseen.Settings,
    ]);

    extension(ServerOptions)
    {
        /// <inheritdoc cref="ServerOptions.From(IReadOnlyList{string}, Func{string, string?}, SettingSet)"/>
        public static ServerOptions From(IReadOnlyList<string> args, Func<string, string?> environment) =>
            ServerOptions.From(args, environment, All);
    }
}
