using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Connectors.Databases;

/// <summary>How far a table has been read: kept with it, and given back at the next run.</summary>
/// <param name="Since">The largest value of the column that was seen, as in <see cref="Position"/>; null: the table had no row.</param>
/// <param name="Shape">Of what the rows were made: where it is another now, they are all read anew.</param>
/// <param name="Reconciled">When all keys were last compared, or all rows read, in seconds since 1970.</param>
/// <param name="Width">Of parts that follow from the key.</param>
internal sealed record PullCursor(string? Since, string Shape, long Reconciled, long? Width)
{
    public string Write() => JsonSerializer.Serialize(this, DatabaseJson.Default.PullCursor);

    /// <returns>Null: there is none, or one of somebody else's.</returns>
    public static PullCursor? Read(string? text)
    {
        if (text is null) return null;
        try
        {
            return JsonSerializer.Deserialize(text, DatabaseJson.Default.PullCursor);
        }
        catch (JsonException)
        {
            return null; // of another connector that had the table before
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(PullCursor))]
internal sealed partial class DatabaseJson : JsonSerializerContext;
