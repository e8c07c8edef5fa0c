using Agnes.Server.Features.Sources.Webhooks;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Records;

/// <summary>Where systems post to.</summary>
internal static class RecordsEndpoints
{
    public static void MapRecords(this IEndpointRouteBuilder routes) => routes
        .MapPost("/webhooks/in/{connection}", (string connection, HttpContext context, Deliveries deliveries, SourceKinds kinds) => TakeAsync(connection, context, deliveries, kinds))
        .Produces<StatusAnswer>()
        .WithTags("Sources").WithSummary("What the system of a connection posts, proven by its secret.").AsDelivery();

    /// <summary>A connection that is not there is told from one whose secret is wrong by nobody.</summary>
    private static Task<IResult> TakeAsync(string connection, HttpContext context, Deliveries deliveries, SourceKinds kinds) =>
        RecordReceiver.Find(context.RequestServices, connection) is { } receiver
            ? deliveries.TakeAsync(context, receiver, connection)
            : Task.FromResult(Problem.Detail(StatusCodes.Status401Unauthorized, "Invalid signature"));
}
