using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Preferences;

/// <summary>The asker's own choices, in the three shapes that older clients read.</summary>
internal static class ShowPreferences
{
    public static async Task<IResult> SettingsAsync(HttpContext context, StateDb state, CancellationToken stop) =>
        JsonBody.Of(
            new SettingsView(context.Caller().UserId, Views(await RowsAsync(context, state, stop))), PreferencesJson.Default.SettingsView);

    public static async Task<IResult> SyncAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var rows = await RowsAsync(context, state, stop);
        var enabled = rows.Where(row => row.Enabled).Select(row => row.Dataset);
        return JsonBody.Of(
            new SyncSettingsView(context.Caller().UserId, Views(rows), [.. enabled]), PreferencesJson.Default.SyncSettingsView);
    }

    public static async Task<IResult> SubscriptionsAsync(HttpContext context, StateDb state, CancellationToken stop) =>
        JsonBody.Of(
            new SubscriptionsView(context.Caller().UserId, Views(await RowsAsync(context, state, stop))),
            PreferencesJson.Default.SubscriptionsView);

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

    private static IReadOnlyList<PreferenceView> Views(List<PreferenceRow> rows) => [.. rows.Select(PreferenceView.Of)];
}
