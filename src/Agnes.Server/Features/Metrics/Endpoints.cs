using Agnes.Server.Features.Metrics.Pages;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Metrics;

/// <summary>How the company calculates its figures: definitions that people and agents look up instead of inventing their own.</summary>
internal static class MetricsFeature
{
    private const long ImportBytesMax = 8L << 20;

    public static void AddMetricDefinitions(this IServiceCollection services, ServerOptions options)
    {
        services.AddSingleton<Definitions>();
        services.AddSingleton<MetricCheck>();
        if (options.Role.RunsJobs()) services.AddHostedService<DefinitionBinding>();
    }

    public static void MapMetrics(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api").WithTags("metrics").SignedIn();
        own.MapGet("/metrics", ListMetrics.HandleAsync).Produces<MetricList>()
            .WithSummary("Definitions over tables that you may read; category narrows it.");
        own.MapGet("/metrics/{**id}", ShowMetric.HandleAsync).Produces<MetricAnswer>().WithSummary("One definition, by category/name.");
        own.MapGet("/catalog/metrics/{**id}",
                (string id) => Results.Redirect(MetricPages.Address("/api/metrics", WithoutExtension(id)), permanent: true))
            .Produces(StatusCodes.Status301MovedPermanently).WithSummary("Where definitions used to be.");

        var admin = routes.MapGroup("/api/admin/metrics").WithTags("metrics").Admin();
        admin.MapPost("", SaveMetric.HandleAsync).Produces<MetricAnswer>(StatusCodes.Status201Created)
            .WithSummary("Add a definition, or replace the one of that id.");
        admin.MapPost("/import", ImportMetrics.HandleAsync).Produces<ImportedMetrics>().BodyBytesMax(ImportBytesMax)
            .WithSummary("Add or replace the definitions of YAML files: all of them or none.");
        admin.MapGet("/export", ExportMetrics.HandleAsync).Produces<MetricFiles>().WithSummary("All definitions as YAML files.");
        admin.MapGet("/validate", ValidateMetrics.HandleAsync).Produces<MetricValidation>()
            .WithSummary("Whether each definition still agrees with the tables.");
        admin.MapDelete("/{**id}", DeleteMetric.HandleAsync).Produces<DeletedMetric>().WithSummary("Remove a definition.");
        MetricPages.Map(routes);
    }

    /// <summary>Definitions were files once.</summary>
    private static string WithoutExtension(string id) => id.EndsWith(".yml", StringComparison.Ordinal) ? id[..^".yml".Length] : id;
}
