using System.Globalization;
using System.Text;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Prompts;

/// <summary>What the agent's instructions are made of: facts about the instance, and about what this one caller may read.</summary>
internal sealed class WorkspaceContext(StateDb state, InstanceFacts instance, TimeProvider time)
{
    private const int ValueCharsMax = 200;

    public async Task<IReadOnlyDictionary<string, object?>> OfAsync(Snapshot snapshot, Caller caller, string serverUrl, CancellationToken stop)
    {
        var tables = Scopes.Tables(snapshot, caller).Select(table => (object?)Mapping(
            ("name", Plain(table.Name)),
            ("description", Plain(table.Row?.Description ?? table.Published?.Description ?? "")),
            ("query_mode", table.Row?.QueryMode ?? table.Published?.QueryMode ?? TableRules.ModeLocal))).ToList();
        var metrics = await ListMetrics.VisibleAsync(state, snapshot, caller, stop);
        var groups = caller.GroupIds.Select(id => snapshot.Group(id)?.Name).OfType<string>().Order(StringComparer.Ordinal).Select(name => (object?)Plain(name)).ToList();
        return Of(
            serverUrl, tables, metrics.Count, [.. metrics.Select(metric => metric.Category).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).Select(category => (object?)Plain(category))],
            Mapping(("id", caller.UserId), ("email", Plain(caller.Email)), ("name", Plain(caller.Name ?? "")), ("is_admin", caller.IsAdmin), ("groups", groups)));
    }

    /// <summary>Two stand-ins that a template must work for: somebody who has everything, and somebody who has nothing.</summary>
    public IEnumerable<IReadOnlyDictionary<string, object?>> Samples()
    {
        object? Table(string name, string mode) => Mapping(("name", name), ("description", "One row each."), ("query_mode", mode));
        yield return Of(
            "https://agnes.example.com", [Table("orders", "local"), Table("events", "remote")], 2, ["revenue"],
            Mapping(("id", "1"), ("email", "ana@example.com"), ("name", "Ana"), ("is_admin", true), ("groups", new List<object?> { "Analysts" })));
        yield return Of("https://agnes.example.com", [], 0, [], Mapping(("id", "2"), ("email", "ben@example.com"), ("name", ""), ("is_admin", false), ("groups", new List<object?>())));
    }

    /// <summary>
    /// A value that people typed somewhere, as one line that is text and nothing else: a description is read by an agent, and must not be able to start a heading, a code
    /// block, a link or a paragraph of its own in the agent's instructions.
    /// </summary>
    public static string Plain(string text)
    {
        var plain = new StringBuilder();
        var isSpace = true;
        foreach (var rune in text.EnumerateRunes())
        {
            if (plain.Length >= ValueCharsMax)
            {
                plain.Append('…');
                break;
            }
            if (Rune.IsWhiteSpace(rune) || Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
            {
                if (!isSpace) plain.Append(' ');
                isSpace = true;
                continue;
            }
            isSpace = false;
            switch (rune.Value)
            {
                case '<': plain.Append("&lt;"); break;
                case '>': plain.Append("&gt;"); break;
                case '`' or '*' or '[' or ']' or '|' or '\\' or '#': plain.Append('\\').Append((char)rune.Value); break;
                default: plain.Append(rune.ToString()); break;
            }
        }
        return plain.ToString().TrimEnd();
    }

    private Dictionary<string, object?> Of(string serverUrl, List<object?> tables, int metrics, List<object?> categories, Dictionary<string, object?> user)
    {
        var now = time.GetUtcNow();
        return Mapping(
            ("instance", Mapping(("name", Plain(instance.Name)), ("subtitle", Plain(instance.Subtitle)))),
            ("server", Mapping(("url", serverUrl), ("hostname", Uri.TryCreate(serverUrl, UriKind.Absolute, out var uri) ? uri.Host : ""))),
            ("sync_interval", Plain(instance.SyncInterval)),
            ("data_source", Mapping(("type", Plain(instance.DataSourceType)))),
            ("tables", tables),
            ("metrics", Mapping(("count", (long)metrics), ("categories", categories))),
            ("marketplaces", new List<object?>()),
            ("user", user),
            ("now", Timestamps.Offset(now)),
            ("today", now.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));
    }

    private static Dictionary<string, object?> Mapping(params (string Key, object? Value)[] entries) => entries.ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
}
