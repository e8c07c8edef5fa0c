using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Microsoft.AspNetCore.DataProtection;

namespace Agnes.Server.Web;

/// <summary>What pages need of the host.</summary>
internal static class WebSetup
{
    public static void AddWeb(this WebApplicationBuilder builder)
    {
        // From the build's output, outside Development too; without this, static files are empty there.
        builder.WebHost.UseStaticWebAssets();

        // Else a build's output has one more route, for files that came since, which declares no access.
        builder.Configuration["ReloadStaticAssetsAtRuntime"] = "false";
        builder.Services.AddRazorComponents();

        // Nothing that outlives the process is protected with these keys. So none is stored, and the service that would make one in $HOME at the start has to go.
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        var keyMaker = builder.Services.Single(service => service.ImplementationType?.Name == "DataProtectionHostedService");
        builder.Services.Remove(keyMaker);
        builder.Services.AddSingleton<WebAssets>();
        builder.Services.AddSingleton<ErrorPage>(ErrorPages.WriteAsync);
    }

    /// <summary>To be called last: it reads which files were mapped.</summary>
    public static void MapWebAssets(this WebApplication app)
    {
        app.MapStaticAssets().Public();
        app.Services.GetRequiredService<WebAssets>().Read(((IEndpointRouteBuilder)app).DataSources);
    }
}
