using Agnes.Server.Features.ApiDocs;
using Agnes.Server.Features.Audit;
using Agnes.Server.Features.Catalog;
using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Features.ColumnMetadata;
using Agnes.Server.Features.Configuration;
using Agnes.Server.Features.Debugging;
using Agnes.Server.Features.Demo;
using Agnes.Server.Features.Desktop;
using Agnes.Server.Features.Distribution;
using Agnes.Server.Features.Downloads;
using Agnes.Server.Features.Groups;
using Agnes.Server.Features.Health;
using Agnes.Server.Features.History;
using Agnes.Server.Features.Home;
using Agnes.Server.Features.Manifest;
using Agnes.Server.Features.Metadata;
using Agnes.Server.Features.Metrics;
using Agnes.Server.Features.Preferences;
using Agnes.Server.Features.Profiles;
using Agnes.Server.Features.Prompts;
using Agnes.Server.Features.Query;
using Agnes.Server.Features.Scans;
using Agnes.Server.Features.Scheduler;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Features.SignIn.Diagnostics;
using Agnes.Server.Features.SignIn.FirstTimeSetup;
using Agnes.Server.Features.SignIn.Pages;
using Agnes.Server.Features.Sources.BigQuery;
using Agnes.Server.Features.Sources.Connections;
using Agnes.Server.Features.Sources.Events;
using Agnes.Server.Features.Sources.Jira;
using Agnes.Server.Features.Sources.Records;
using Agnes.Server.Features.Sources.Webhooks;
using Agnes.Server.Features.Statements;
using Agnes.Server.Features.Statements.Pages;
using Agnes.Server.Features.Sync;
using Agnes.Server.Features.Sync.Pages;
using Agnes.Server.Features.Tables;
using Agnes.Server.Features.Tables.Pages;
using Agnes.Server.Features.Tokens;
using Agnes.Server.Features.Tokens.Pages;
using Agnes.Server.Features.Uploads;
using Agnes.Server.Features.Users;
using Agnes.Server.Features.Users.Pages;
using Agnes.Server.Features.VerifiedQueries;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.Jobs;

namespace Agnes.Server;

/// <summary>What the server can do, one line a feature. Deleting a feature's folder and its lines here removes it.</summary>
internal static class FeatureList
{
    public static void AddServices(IServiceCollection services, ServerOptions options)
    {
        services.AddSources();
        DataPlane.AddServices(services, options);
        services.AddWebhooks();
        services.AddEvents();
        services.AddJira();
        services.AddHealth();
        services.AddTables();
        services.AddMetadata(options);
        services.AddCatalog();
        services.AddSync(options);
        services.AddScheduler();
        services.AddMetricDefinitions(options);
        services.AddPrompts();
        services.AddDistribution();
        services.AddDemo(options);
        services.AddSignIn(options);
        services.AddDesktop();
        services.AddUploads();
        services.AddProfiles();
        services.AddColumnMetadata();
        services.AddPreferences();
        services.AddSingleton<GroupOrigins>();
        services.AddSingleton<IResourceType, MarketplacePlugins>();
        services.AddSingleton<IResourceType, MemoryDomains>();
    }

    public static void Map(IEndpointRouteBuilder routes, Role role)
    {
        routes.MapHealth();
        if (!role.ServesRequests()) return;
        ApiDescription.Map(routes);
        routes.MapApiDocs();
        routes.MapDebugging();
        routes.MapTables();
        routes.MapConnections();
        routes.MapBigQuery();
        routes.MapWebhooks();
        routes.MapJira();
        routes.MapRecords();
        routes.MapEvents();
        routes.MapColumnMetadata();
        routes.MapSync();
        routes.MapScheduler();
        routes.MapMetadata();
        routes.MapManifest();
        routes.MapDownloads();
        routes.MapCatalog();
        routes.MapHistory();
        routes.MapProfiles();
        routes.MapQuery();
        routes.MapStatements();
        routes.MapScans();
        routes.MapMetrics();
        routes.MapPrompts();
        routes.MapDistribution();
        routes.MapVerifiedQueries();
        routes.MapSignIn();
        routes.MapTokens();
        routes.MapUsers();
        routes.MapGroups();
        routes.MapAudit();
        routes.MapConfiguration();
        routes.MapPreferences();
        routes.MapUploads();
        routes.MapSignInPages();
        routes.MapFirstTimeSetup();
        routes.MapSessionsPages();
        routes.MapSignInDiagnostics();
        routes.MapDesktop();
        routes.MapHomePages();
        routes.MapCatalogPages();
        routes.MapTablesPages();
        routes.MapSyncPages();
        routes.MapTokensPages();
        routes.MapStatementsPages();
        routes.MapProfilePages();
    }

    /// <summary>What must have happened before the first request: seeds, and whatever a crash left half done.</summary>
    public static async Task PrepareAsync(IServiceProvider services, CancellationToken stop)
    {
        ConfigProblems.Log(services);
        await services.GetRequiredService<Processes>().BeginAsync(stop);
        await SeedAdmin.PrepareAsync(services, stop);
        await SchedulerAccount.PrepareAsync(services, stop);
    }
}
