using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Cli.Settings;

/// <summary>What this user decided about a server.</summary>
/// <param name="ReleaseKey">The fingerprint of the key that its archives of this program are signed with.</param>
/// <param name="PlainHttp">It may be spoken to without encryption.</param>
internal sealed record KnownServer(string? ReleaseKey = null, bool PlainHttp = false);

/// <summary><c>servers.json</c>, by address. A file that cannot be read is no decision, and is never written over.</summary>
internal static class KnownServers
{
    private const int ServersMax = 200;

    /// <exception cref="CliException">The file is not what it should be.</exception>
    public static KnownServer Of(ConfigFolder folder, ServerAddress server) => Read(folder).GetValueOrDefault(server.Url) ?? new KnownServer();

    public static async Task SetAsync(ConfigFolder folder, ServerAddress server, KnownServer decided, CancellationToken cancellation)
    {
        var all = Read(folder);
        if (all.GetValueOrDefault(server.Url) == decided) return;
        if (all.Count >= ServersMax && !all.ContainsKey(server.Url)) throw new CliException($"{PathOf(folder)} holds {all.Count} servers; remove those that are gone.");
        all[server.Url] = decided;
        folder.Create();
        await AtomicFile.WriteAsync(PathOf(folder), Encoding.UTF8.GetBytes(JsonSerializer.Serialize(all, KnownServersJson.Default.SortedDictionaryStringKnownServer) + "\n"), ownerOnly: true, cancellation);
    }

    private static SortedDictionary<string, KnownServer> Read(ConfigFolder folder)
    {
        var path = PathOf(folder);
        if (!File.Exists(path)) return new SortedDictionary<string, KnownServer>(StringComparer.Ordinal);
        try
        {
            return new SortedDictionary<string, KnownServer>(JsonSerializer.Deserialize(File.ReadAllBytes(path), KnownServersJson.Default.SortedDictionaryStringKnownServer) ?? [], StringComparer.Ordinal);
        }
        catch (JsonException problem)
        {
            throw new CliException($"{path} is not readable: {problem.Message}") { Hint = "Correct it, or remove it and run agnes init again: it holds which release keys you trust." };
        }
    }

    private static string PathOf(ConfigFolder folder) => Path.Combine(folder.Path, "servers.json");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault)]
[JsonSerializable(typeof(SortedDictionary<string, KnownServer>))]
internal sealed partial class KnownServersJson : JsonSerializerContext;
