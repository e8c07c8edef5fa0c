using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server;

/// <summary>What the server can do, one line a feature. Deleting a feature's folder and its lines here removes it.</summary>
internal static class FeatureList
{
    public static void AddServices(IServiceCollection services, ServerOptions options)
    {
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        ApiDescription.Map(routes);
    }

    /// <summary>What must have happened before the first request: seeds, and whatever a crash left half done.</summary>
    public static Task PrepareAsync(IServiceProvider services, CancellationToken stop) => Task.CompletedTask;
}
