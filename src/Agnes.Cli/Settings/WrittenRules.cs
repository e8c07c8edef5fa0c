using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Protocol;

namespace Agnes.Cli.Settings;

/// <summary>
/// <c>agent-rules.json</c>: which denials were ever written into the agent's settings of a workspace, so that one that is missing there is known for lifted by its user.
/// It lies with the user and not in the workspace: a workspace that came from elsewhere could bring it along.
/// </summary>
internal static class WrittenRules
{
    private const int WorkspacesMax = 500;

    /// <summary>A file that cannot be read says nothing: then all denials are written once more.</summary>
    public static IReadOnlyCollection<string> Of(ConfigFolder folder, string workspace) => Read(folder).GetValueOrDefault(RealFolder.Of(workspace)) ?? [];

    public static async Task SetAsync(ConfigFolder folder, string workspace, IReadOnlyCollection<string> rules, CancellationToken cancellation)
    {
        var all = Read(folder);
        var root = RealFolder.Of(workspace);
        foreach (var gone in all.Keys.Where(known => known != root && (all.Count >= WorkspacesMax || !Directory.Exists(known))).ToList()) all.Remove(gone);
        all[root] = [.. rules.Order(StringComparer.Ordinal)];
        folder.Create();
        await AtomicFile.WriteAsync(PathOf(folder), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(all, WrittenRulesJson.Default.SortedDictionaryStringStringArray) + "\n"), ownerOnly: true, cancellation);
    }

    private static SortedDictionary<string, string[]> Read(ConfigFolder folder)
    {
        var none = new SortedDictionary<string, string[]>(StringComparer.Ordinal);
        if (!File.Exists(PathOf(folder))) return none;
        try
        {
            return new SortedDictionary<string, string[]>(JsonSerializer.Deserialize(File.ReadAllBytes(PathOf(folder)), WrittenRulesJson.Default.SortedDictionaryStringStringArray) ?? none, StringComparer.Ordinal);
        }
        catch (JsonException)
        {
            return none;
        }
    }

    private static string PathOf(ConfigFolder folder) => Path.Combine(folder.Path, "agent-rules.json");
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(SortedDictionary<string, string[]>))]
internal sealed partial class WrittenRulesJson : JsonSerializerContext;
