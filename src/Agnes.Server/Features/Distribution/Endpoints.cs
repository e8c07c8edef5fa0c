using Agnes.Server.Features.Distribution.Pages;
using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Distribution;

/// <summary>The command line for laptops: archives, installers, and the page that leads to them. Open to everybody, as nobody has a token before they have the program.</summary>
internal static class DistributionFeature
{
    private const string Archive = "application/octet-stream";

    public static void AddDistribution(this IServiceCollection services)
    {
        services.AddSingleton<CliPackages>();
        services.AddSingleton<ReleaseKey>();
    }

    public static void MapDistribution(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<ReleaseKey>().Check();
        var cli = routes.MapGroup("/cli").WithTags("distribution").Public();
        cli.MapGet("/latest", ShowLatest.Handle).Produces<LatestCli>().WithSummary("Which version is offered, for which platforms.");
        cli.MapGet("/download", DownloadCli.ForPlatform).Produces<Stream>(contentType: Archive)
            .WithSummary("The archive of a platform: rid, by default linux-x64.");
        cli.MapGet("/download/{filename}", DownloadCli.ByName).Produces<Stream>(contentType: Archive)
            .WithSummary("An archive by its exact name.");
        cli.MapGet("/wheel/{filename}", DownloadCli.ByName).Produces<Stream>(contentType: Archive)
            .WithSummary("The same, under the path that older clients know.");
        cli.MapGet("/install.sh", ShowInstaller.Shell).Produces<string>(contentType: "text/plain")
            .WithSummary("Installs the command line on Linux and macOS.");
        cli.MapGet("/install.ps1", ShowInstaller.PowerShell).Produces<string>(contentType: "text/plain")
            .WithSummary("Installs the command line on Windows.");

        var pages = routes.MapGroup("").ExcludeFromDescription();
        pages.MapGet("/setup", ShowSetup.HandleAsync).Public();
        pages.MapGet("/install", () => Results.Redirect("/setup")).Public();
    }
}
