using System.Text.Json;
using System.Text.Json.Serialization;
using Agnes.Cli.Settings;
using Agnes.Protocol;

namespace Agnes.Cli.Workspace;

/// <summary>What this workspace holds, by server: <c>.claude/agnes-sync-state.json</c>.</summary>
internal sealed record PullState(int Format, Dictionary<string, ServerState> Servers)
{
    public const int CurrentFormat = 1;

    public static PullState Empty => new(CurrentFormat, []);

    /// <summary>A damaged file is as good as none: everything in it can be found out again from the server and the parts on disk.</summary>
    public static async Task<(PullState State, string? Warning)> LoadAsync(Layout layout, CancellationToken cancellation) =>
        File.Exists(layout.State) ? Parse(layout, await File.ReadAllBytesAsync(layout.State, cancellation)) : (Empty, null);

    /// <summary>The same, where nothing else is waited for.</summary>
    public static (PullState State, string? Warning) Read(Layout layout) => File.Exists(layout.State) ? Parse(layout, File.ReadAllBytes(layout.State)) : (Empty, null);

    private static (PullState State, string? Warning) Parse(Layout layout, byte[] content)
    {
        try
        {
            var state = JsonSerializer.Deserialize(content, StateJson.Default.PullState);
            if (state is { Format: CurrentFormat, Servers: not null } && state.Servers.Values.All(server => server.IsUsable)) return (state, null);
            return (Empty, $"{layout.State} was written by another version; checking everything again");
        }
        catch (JsonException)
        {
            return (Empty, $"{layout.State} is damaged; checking everything again");
        }
    }

    public Task SaveAsync(Layout layout, CancellationToken cancellation)
    {
        Directory.CreateDirectory(layout.Claude);
        return AtomicFile.WriteAsync(layout.State, JsonSerializer.SerializeToUtf8Bytes(this, StateJson.Default.PullState), ownerOnly: false, cancellation);
    }
}

/// <param name="ETag">Of the manifest that the tables below are; null where some of it could not be had.</param>
/// <param name="IsCommitting">Set while links and database change: after a crash both are made again.</param>
/// <param name="Root">Where the workspace was; views hold absolute paths.</param>
/// <param name="Elsewhere">Tables that the manifest names and this workspace does not hold.</param>
/// <param name="Earlier">What 'pull --rollback' goes back to.</param>
/// <param name="HeldSince">Set by a rollback: quiet pulls bring nothing new until somebody pulls on purpose.</param>
internal sealed record ServerState(
    [property: JsonPropertyName("etag")] string? ETag,
    string? LastSync,
    bool IsCommitting,
    string Root,
    Dictionary<string, TableState> Tables,
    List<RetiredPart> Retired,
    List<ElsewhereTable>? Elsewhere = null,
    EarlierVersion? Earlier = null,
    string? HeldSince = null)
{
    public static ServerState Empty(string root) => new(null, null, false, root, new Dictionary<string, TableState>(StringComparer.Ordinal), []);

    [JsonIgnore]
    public bool IsUsable => Root is not null && Retired is not null && Tables is not null && Retired.TrueForAll(part => part is { Table: not null, Sha256: not null }) && Tables.All(table => table.Value is { Parts: not null, QueryMode: not null } && Identifiers.IsQuoted(table.Key))
        && (Elsewhere is null || Elsewhere.TrueForAll(table => table is { Name: not null })) && (Earlier is null || (Earlier.Tables is not null && Earlier.Tables.All(table => table.Value is { Parts: not null })));
}

/// <summary>A table as it lies in the workspace.</summary>
/// <param name="Problem">Why it has no view although its parts came; every pull tries, and says so, again.</param>
internal sealed record TableState(
    string QueryMode, string? Id, long? Version, string Hash, string? PartsDigest, long Rows, long SizeBytes, string? Updated, IReadOnlyList<TablePart> Parts, string? Problem = null);

/// <summary>A table that is the user's and not here: it stays on the server, or was not pulled yet.</summary>
internal sealed record ElsewhereTable(string Name, string? Id, bool IsRemote);

/// <summary>The tables as they were before the last pull that changed something. Tables that were taken from the user leave this too.</summary>
internal sealed record EarlierVersion(string? LastSync, Dictionary<string, TableState> Tables);

/// <summary>A part of a version that was replaced; kept a while for queries that began before.</summary>
internal sealed record RetiredPart(string Table, string Sha256, DateTimeOffset At);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PullState))]
internal sealed partial class StateJson : JsonSerializerContext;
