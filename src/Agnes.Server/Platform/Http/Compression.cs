using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

namespace Agnes.Server.Platform.Http;

/// <summary>gzip for answers worth it. Tables, wheels and packs are compressed already, and their clients rely on the bytes as they are.</summary>
internal sealed class Compression(IServiceProvider services, IOptions<ResponseCompressionOptions> options) : ResponseCompressionProvider(services, options)
{
    private const int BytesMin = 1024;
    private static readonly string[] Excluded = ["/api/data/", "/cli/wheel/", "/cli/download", "/marketplace.git"];

    public override bool ShouldCompressResponse(HttpContext context) =>
        context.Response.ContentLength is not < BytesMin && base.ShouldCompressResponse(context);

    public static bool IsAllowedFor(HttpContext context)
    {
        var path = context.Request.Path.Value ?? "";
        foreach (var prefix in Excluded)
        {
            if (path.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return false;
        }

        return true;
    }

    public static void AddTo(IServiceCollection services)
    {
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true; // credentials travel in headers, never in bodies that also hold what an attacker chose
            compression.Providers.Add<GzipCompressionProvider>();
        });
        services.AddSingleton<IResponseCompressionProvider, Compression>();
    }
}
