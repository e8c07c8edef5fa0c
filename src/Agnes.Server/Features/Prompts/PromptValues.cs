using System.Globalization;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>What texts for agents are made of: facts about the instance, and about what one caller may read.</summary>
internal sealed class PromptValues(Definitions definitions, InstanceFacts instance, TimeProvider time)
{
    private const string SampleUrl = "https://agnes.example.com";

    /// <summary>Of the set-up text: it is read before there are tables.</summary>
    /// <param name="caller">Null: somebody who has not signed in.</param>
    public Dictionary<string, object?> Setup(Snapshot snapshot, Caller? caller, string serverUrl) => Common(serverUrl, caller is null ? null : User(snapshot, caller));

    /// <summary>Of a workspace's instructions.</summary>
    public async Task<Dictionary<string, object?>> WorkspaceAsync(Snapshot snapshot, Caller caller, string serverUrl, CancellationToken stop)
    {
        var tables = Scopes.Tables(snapshot, caller).Select(table => (object?)Mapping(
            ("name", PlainText.Of(table.Name)),
            ("description", PlainText.Of(table.Row?.Description ?? table.Published?.Description ?? "")),
            ("query_mode", table.Row?.QueryMode ?? table.Published?.QueryMode ?? TableRules.ModeLocal))).ToList();
        var metrics = (await definitions.OfAsync(snapshot, caller, stop)).Metrics.ToList();
        var categories = metrics.Select(metric => metric.Category).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(category => (object?)PlainText.Of(category)).ToList();
        return Workspace(Common(serverUrl, User(snapshot, caller)), tables, metrics.Count, categories);
    }

    /// <summary>Stand-ins that a set-up text must work for: somebody, and nobody.</summary>
    public IEnumerable<Dictionary<string, object?>> SetupSamples()
    {
        yield return Common(SampleUrl, User("1", "ana@example.com", "Ana", isAdmin: true, ["Analysts"]));
        yield return Common(SampleUrl, user: null);
    }

    /// <summary>Stand-ins that a workspace's text must work for: somebody who has everything, and somebody who has nothing.</summary>
    public IEnumerable<Dictionary<string, object?>> WorkspaceSamples()
    {
        object? Table(string name, string mode) => Mapping(("name", name), ("description", "One row each."), ("query_mode", mode));
        yield return Workspace(Common(SampleUrl, User("1", "ana@example.com", "Ana", isAdmin: true, ["Analysts"])), [Table("orders", "local"), Table("events", "remote")], 2, ["revenue"]);
        yield return Workspace(Common(SampleUrl, User("2", "ben@example.com", "", isAdmin: false, [])), [], 0, []);
    }

    private Dictionary<string, object?> Common(string serverUrl, Dictionary<string, object?>? user)
    {
        var now = time.GetUtcNow();
        return Mapping(
            ("instance", Mapping(
                ("name", PlainText.Of(instance.Name)), ("subtitle", PlainText.Of(instance.Subtitle)), ("brand", PlainText.Of(instance.Brand)), ("workspace_dir", instance.WorkspaceDir),
                ("admin_email", PlainText.Of(instance.AdminEmail)))),
            ("server", Mapping(("url", serverUrl), ("hostname", Uri.TryCreate(serverUrl, UriKind.Absolute, out var uri) ? uri.Host : ""))),
            ("user", user),
            ("now", Timestamps.Offset(now)),
            ("today", now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
    }

    private Dictionary<string, object?> Workspace(Dictionary<string, object?> common, List<object?> tables, int metrics, List<object?> categories)
    {
        common["sync_interval"] = PlainText.Of(instance.SyncInterval);
        common["data_source"] = Mapping(("type", PlainText.Of(instance.DataSourceType)));
        common["tables"] = tables;
        common["metrics"] = Mapping(("count", (long)metrics), ("categories", categories));
        common["marketplaces"] = new List<object?>();
        return common;
    }

    private static Dictionary<string, object?> User(Snapshot snapshot, Caller caller) =>
        User(caller.UserId, PlainText.Of(caller.Email), PlainText.Of(caller.Name ?? ""), caller.IsAdmin, caller.GroupIds.Select(id => snapshot.Group(id)?.Name).OfType<string>().Order(StringComparer.Ordinal).Select(PlainText.Of));

    private static Dictionary<string, object?> User(string id, string email, string name, bool isAdmin, IEnumerable<string> groups) =>
        Mapping(("id", id), ("email", email), ("name", name), ("is_admin", isAdmin), ("groups", groups.Select(group => (object?)group).ToList()));

    private static Dictionary<string, object?> Mapping(params (string Key, object? Value)[] entries) => entries.ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
}
