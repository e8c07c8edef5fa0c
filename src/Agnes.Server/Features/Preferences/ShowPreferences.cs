using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Preferences;

/// <summary>The asker's own choices, in the three shapes that older clients read.</summary>
internal static class ShowPreferences
{
    public static async Task<IResult> SettingsAsync(HttpContext context, StateDb state, CancellationToken stop) =>
        Answer(context, "sync_settings", await RowsAsync(context, state, stop));

    public static async Task<IResult> SyncAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var rows = await RowsAsync(context, state, stop);
        return JsonBody.Of(new JsonObject
        {
            ["user_id"] = context.Caller().UserId,
            ["settings"] = Views(rows),
            ["enabled_datasets"] = new JsonArray([.. rows.Where(row => row.Enabled).Select(row => (JsonNode)row.Dataset)]),
        });
    }

    public static async Task<IResult> SubscriptionsAsync(HttpContext context, StateDb state, CancellationToken stop) =>
        Answer(context, "subscriptions", await RowsAsync(context, state, stop));

    /// <summary>
    /// What somebody chose of a table that they may no longer read is not shown: its name would be. Of several spellings, which earlier versions stored, the last one counts.
    /// </summary>
    private static async Task<List<PreferenceRow>> RowsAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        return
        [
            .. (await PreferenceStore.OfAsync(state, caller.UserId, stop))
                .Select(row => (Row: row, Choice: Choices.Of(snapshot, caller, row.Dataset)))
                .Where(one => one.Choice is not null)
                .GroupBy(one => one.Choice!.Key, StringComparer.Ordinal)
                .Select(spellings => spellings.OrderBy(one => one.Row.Dataset == one.Choice!.Key).MaxBy(one => one.Row.UpdatedAt))
                .Select(one => one.Row with { Dataset = one.Choice!.Key }),
        ];
    }

    private static IResult Answer(HttpContext context, string name, List<PreferenceRow> rows) =>
        JsonBody.Of(new JsonObject { ["user_id"] = context.Caller().UserId, [name] = Views(rows) });

    private static JsonArray Views(List<PreferenceRow> rows) => new(
    [
        .. rows.Select(row => (JsonNode)new JsonObject
        {
            ["user_id"] = row.UserId,
            ["dataset"] = row.Dataset,
            ["enabled"] = row.Enabled,
            ["table_mode"] = row.TableMode,
            ["tables"] = row.Tables,
            ["updated_at"] = Timestamps.Spaced(row.UpdatedAt),
        }),
    ]);
}
