using Agnes.Server.Platform.Access;

namespace Agnes.Server.Features.Sources.BigQuery;

internal static class BigQueryEndpoints
{
    public static void MapBigQuery(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/admin/bigquery/test-connection", TestConnection.HandleAsync).Produces<TestedConnection>().Admin().OnlyReads()
            .WithTags("Sources")
            .WithSummary("Has BigQuery run the smallest statement there is. ?connection= names another than the default one.");
}
