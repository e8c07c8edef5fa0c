using System.Text.Json.Serialization;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Preferences;

internal sealed record PreferenceView(string UserId, string Dataset, bool Enabled, string TableMode, string? Tables, string UpdatedAt)
{
    public static PreferenceView Of(PreferenceRow row) => new(
        row.UserId, row.Dataset, row.Enabled, row.TableMode, row.Tables, Timestamps.Spaced(row.UpdatedAt));
}

internal sealed record SettingsView(string UserId, IReadOnlyList<PreferenceView> SyncSettings);

internal sealed record SyncSettingsView(string UserId, IReadOnlyList<PreferenceView> Settings, IReadOnlyList<string> EnabledDatasets);

internal sealed record SubscriptionsView(string UserId, IReadOnlyList<PreferenceView> Subscriptions);

internal sealed record SavedDataset(string Dataset, bool Enabled);

/// <param name="Updated">By the name that was sent.</param>
internal sealed record SavedDatasets(IReadOnlyDictionary<string, SavedChoice> Updated);

/// <summary>One of the two.</summary>
internal sealed record SavedChoice(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] bool? Enabled = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Error = null);

internal sealed record SavedSubscriptions(string TableMode, int Updated);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SettingsView))]
[JsonSerializable(typeof(SyncSettingsView))]
[JsonSerializable(typeof(SubscriptionsView))]
[JsonSerializable(typeof(SavedDataset))]
[JsonSerializable(typeof(SavedDatasets))]
[JsonSerializable(typeof(SavedSubscriptions))]
internal sealed partial class PreferencesJson : JsonSerializerContext;
