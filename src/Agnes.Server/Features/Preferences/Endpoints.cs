using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Preferences;

/// <summary>What people chose to sync. Kept for older clients; nothing here decides what anybody gets.</summary>
internal static class PreferencesEndpoints
{
    public static void AddPreferences(this IServiceCollection services) => services.AddSingleton<IBelonging, PreferenceBelonging>();

    public static void MapPreferences(this IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/api").WithTags("Profile").SignedIn();
        api.MapGet("/settings", ShowPreferences.SettingsAsync).Produces<SettingsView>().WithSummary("What you chose to sync.");
        api.MapPut("/settings/dataset", SavePreferences.DatasetAsync).Produces<SavedDataset>()
            .WithSummary("Choose a dataset, or no longer: dataset, enabled.");
        api.MapGet("/sync/settings", ShowPreferences.SyncAsync).Produces<SyncSettingsView>()
            .WithSummary("The same, with the names of what is enabled.");
        api.MapPost("/sync/settings", SavePreferences.SyncAsync).Produces<SavedDatasets>().WithSummary("Choose several: datasets.");
        api.MapGet("/sync/table-subscriptions", ShowPreferences.SubscriptionsAsync).Produces<SubscriptionsView>()
            .WithSummary("The same as subscriptions.");
        api.MapPost("/sync/table-subscriptions", SavePreferences.SubscriptionsAsync).Produces<SavedSubscriptions>()
            .WithSummary("Choose tables: table_mode, tables.");
    }
}
