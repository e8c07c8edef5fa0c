using Agnes.Server.Platform.Access;
using Microsoft.AspNetCore.DataProtection;

namespace Agnes.Server.Web;

/// <summary>What pages need of the host.</summary>
internal static class WebSetup
{
    public static void AddWeb(this WebApplicationBuilder builder)
    {
        // From the build's output, outside Development too; without this, static files are empty there.
        builder.WebHost.UseStaticWebAssets();
        builder.Services.AddRazorComponents();

        // Nothing that outlives the process is protected with these keys, so none is stored.
        builder.Services.AddDataProtection().UseEphemeralDataProtectionProvider();
        builder.Services.AddSingleton<WebAssets>();
    }

    /// <summary>To be called last: it reads which files were mapped.</summary>
    public static void MapWebAssets(this WebApplication app)
    {
        app.MapStaticAssets().Public();
        app.Services.GetRequiredService<WebAssets>().Read(((IEndpointRouteBuilder)app).DataSources);
    }
}
