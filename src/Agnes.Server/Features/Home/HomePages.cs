using Agnes.Server.Features.Catalog.Pages;
using Agnes.Server.Features.Sync.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.Sources.Metadata;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Home;

/// <summary>The way in, and the page behind it.</summary>
internal static class HomePages
{
    private const int ListedMax = 6;

    public static void MapHomePages(this IEndpointRouteBuilder routes)
    {
        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet("/", (HttpContext context, ServerOptions options) => Results.Redirect(context.CallerOrNull() is null ? "/login" : options.HomeRoute)).Public();
        pages.MapGet("/dashboard", ShowHomeAsync).SignedIn();
        pages.MapGet("/home", ShowHomeAsync).SignedIn();
    }

    private static async Task<IResult> ShowHomeAsync(
        HttpContext context, StateDb state, MetadataCache cache, AskedSources sources, ServerOptions options, TimeProvider time,
        CancellationToken stop)
    {
        var caller = context.Caller();
        var view = await cache.ViewAsync(stop);
        var tables = CatalogEntries.Of(context.Snapshot(), caller, time.GetUtcNow().UtcDateTime, row => view.Of(row, sources))
            .Select(item => item.Entry).ToList();
        var here = tables.Where(table => !table.IsElsewhere).ToList();
        return Page.Show<HomePage>(new HomeModel(
            $"Welcome, {caller.Name ?? caller.Email}",
            new TableTotals(
                tables.Count, here.Sum(table => table.Rows ?? 0), here.Sum(table => table.Bytes ?? 0),
                tables.Count(table => !table.Health.IsProblem)),
            [.. tables.Where(table => table.Health.IsProblem).OrderBy(table => table.Health.Tone, StringComparer.Ordinal).Take(ListedMax)],
            [.. tables.Where(table => table.Health.LoadedAt is not null).OrderByDescending(table => table.Health.LoadedAt).Take(ListedMax)],
            Connect.Steps(Connect.ServerUrl(context, options), here.Find(table => table.Rows is not null)?.Name))
        {
            IsAdmin = caller.IsAdmin,
            Runs = caller.IsAdmin ? await SyncRuns.NewestAsync(state, ListedMax, before: null, stop) : [],
        });
    }
}
