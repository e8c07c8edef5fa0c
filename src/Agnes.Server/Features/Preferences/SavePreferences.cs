using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Preferences;

/// <summary>Stores choices. They are kept for older clients and change nothing of what is synced or may be read.</summary>
internal static class SavePreferences
{
    /// <summary>Choices that an audit entry names; the rest it counts.</summary>
    private const int AuditedMax = 50;

    public static async Task<IResult> DatasetAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var dataset = body.String("dataset");
        var enabled = body.OptionalBoolean("enabled");
        if (!body.Has("enabled")) body.String("enabled");
        body.ThrowIfInvalid();
        if (Choices.Of(context.Snapshot(), context.Caller(), dataset) is null) return Problem.Detail(StatusCodes.Status403Forbidden, $"No access to dataset '{dataset}'");
        await SaveAsync(context, state, new Dictionary<string, bool>(StringComparer.Ordinal) { [dataset] = enabled is true }, Choices.ModeDefault, stop);
        return JsonBody.Of(new SavedDataset(dataset, enabled is true), PreferencesJson.Default.SavedDataset);
    }

    public static async Task<IResult> SyncAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var choices = Choices.Read(body, "datasets");
        body.ThrowIfInvalid();
        var allowed = Allowed(context, choices);
        await SaveAsync(context, state, allowed, Choices.ModeDefault, stop);
        var updated = choices.ToDictionary(
            choice => choice.Key,
            choice => allowed.ContainsKey(choice.Key) ? new SavedChoice(choice.Value) : new SavedChoice(Error: "no permission"),
            StringComparer.Ordinal);
        return JsonBody.Of(new SavedDatasets(updated), PreferencesJson.Default.SavedDatasets);
    }

    public static async Task<IResult> SubscriptionsAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var mode = body.OneOf("table_mode", Choices.ModeDefault, Choices.ModeDefault, "explicit");
        var choices = Choices.Read(body, "tables");
        body.ThrowIfInvalid();
        var allowed = Allowed(context, choices);
        await SaveAsync(context, state, allowed, mode, stop);
        return JsonBody.Of(new SavedSubscriptions(mode, allowed.Count), PreferencesJson.Default.SavedSubscriptions);
    }

    private static Dictionary<string, bool> Allowed(HttpContext context, Dictionary<string, bool> choices) =>
        choices.Where(choice => Choices.Of(context.Snapshot(), context.Caller(), choice.Key) is not null).ToDictionary(StringComparer.Ordinal);

    private static async Task SaveAsync(HttpContext context, StateDb state, Dictionary<string, bool> choices, string mode, CancellationToken stop)
    {
        var caller = context.Caller();
        if (choices.Count == 0) return;
        await state.WriteAsync(
            async write =>
            {
                await PreferenceStore.SaveAsync(write, caller, choices, mode);
                var chosen = new JsonObject(choices.Take(AuditedMax).Select(choice => KeyValuePair.Create(choice.Key, (JsonNode?)choice.Value)));
                write.Audit(caller.UserId, "preferences.updated", $"user:{caller.UserId}", new JsonObject { ["table_mode"] = mode, ["count"] = choices.Count, ["datasets"] = chosen });
            },
            stop);
    }
}
