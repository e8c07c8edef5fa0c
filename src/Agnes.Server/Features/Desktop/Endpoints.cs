using Agnes.Server.Features.Desktop.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.State;
using Agnes.Server.Web;

namespace Agnes.Server.Features.Desktop;

/// <summary>Lets a desktop application act for a person, for what it is told of; see specification 04, 4.6.</summary>
internal static class DesktopFeature
{
    public static void AddDesktop(this IServiceCollection services)
    {
        services.AddSingleton<DesktopTokens>();
        services.AddSingleton<IBelonging, DesktopBelonging>();
    }

    public static void MapDesktop(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/desktop").WithTags("Desktop").SignedIn();
        own.MapPost("/authorize", DesktopEndpoints.AuthorizeAsync).Produces<DesktopAddress>().WithSummary("Link your desktop application: the address that opens it, with its token.");
        own.MapPost("/unlink", DesktopEndpoints.UnlinkAsync).Produces<DesktopUnlinked>().WithSummary("Unlink your desktop application.");
        routes.MapPost("/api/desktop/refresh", DesktopEndpoints.RefreshAsync).Produces<DesktopToken>().WithTags("Desktop").WithSummary("Exchange a desktop token for a new one.").Public().PerMinute(DesktopEndpoints.PerMinuteMax);
        routes.MapGet("/desktop/link", () => Page.Show<DesktopPage>()).ExcludeFromDescription().SignedIn();
    }
}
