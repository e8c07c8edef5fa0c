using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Connectors.Keboola;

/// <summary>How far a table has been read: kept with it, and given back at the next run.</summary>
/// <param name="Since">Whatever was imported from here on, in seconds since 1970 by the service's clock, is not known to be here.</param>
/// <param name="Shape">Of what the rows were made: where it is another now, they are all read anew.</param>
/// <param name="Reconciled">When all keys were last compared, or all rows read.</param>
internal sealed record PullCursor(long Since, string Shape, long Reconciled)
{
    public string Write() => JsonSerializer.Serialize(this, PullJson.Default.PullCursor);

    /// <returns>Null: there is none, or one of somebody else's.</returns>
    public static PullCursor? Read(string? text) => PullJson.Read(text, PullJson.Default.PullCursor);
}

/// <summary>What a run has begun at Keboola, so that the next one need not begin it again when this one is killed.</summary>
/// <param name="AsOf">When the run began, in seconds since 1970 by the service's clock.</param>
/// <param name="Shape">As in the cursor: of other settings the exports are of no use.</param>
/// <param name="Run">Ours, which the service keeps with its jobs.</param>
/// <param name="Jobs">By what was asked for, in the order in which it was.</param>
internal sealed record PullCheckpoint(long AsOf, string Shape, string Run, Dictionary<string, string> Jobs)
{
    public static string NewRun() => $"agnes-{Guid.NewGuid():N}";

    public string Write() => JsonSerializer.Serialize(this, PullJson.Default.PullCheckpoint);

    public static PullCheckpoint? Read(string? text) => PullJson.Read(text, PullJson.Default.PullCheckpoint);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PullCursor))]
[JsonSerializable(typeof(PullCheckpoint))]
internal sealed partial class PullJson : JsonSerializerContext
{
    public static T? Read<T>(string? text, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        if (text is null) return null;
        try
        {
            return JsonSerializer.Deserialize(text, type);
        }
        catch (JsonException)
        {
            return null; // of another connector that had the table before
        }
    }

    public static string HashOf(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..32];
}
