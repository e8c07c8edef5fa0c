using Agnes.Connectors.Jira;
using Agnes.Engine.Query.Remote;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Jira;

/// <summary>Jira, which sends what happens to its issues; or as another program brings it.</summary>
internal sealed class JiraKind : SourceKind, IEventKind
{
    public const string KindName = "jira";

    public override string Name => KindName;

    public override string Title => "Jira";

    public override string Section => KindName;

    public override IReceiver Receiver { get; } = new JiraReceiver();

    /// <summary>Whether the account is taken, and how many issues it may read.</summary>
    public override async Task<ConnectionCheck?> CheckAsync(
        Connection connection, IReadOnlyDictionary<string, string> options, IServiceProvider services, CancellationToken stop)
    {
        if (services.GetRequiredService<JiraSettings>().Site?.Impatient is not { } api) return null;
        try
        {
            await api.MyselfAsync(stop);
            var first = await new JiraSearch(api, "").NextAsync(stop) ?? [];
            return new ConnectionCheck(first.Count, "issues") { IsCut = first.Count >= JiraSearch.PageSize };
        }
        catch (JiraException fault)
        {
            throw new RemoteException(RemoteFault.System, fault.Message, fault);
        }
    }

    public IEnumerable<EventSource> Events(IServiceProvider services) => services.GetRequiredService<JiraSettings>().Source is { } source ? [source] : [];
}
