using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Sources.Webhooks;

/// <summary>What sources send by themselves: a route for each kind that takes something. Open to anybody, since a source has no account; a signature proves it.</summary>
internal static class WebhooksEndpoints
{
    public static void AddWebhooks(this IServiceCollection services) => services.AddSingleton<Deliveries>();

    public static void MapWebhooks(this IEndpointRouteBuilder routes)
    {
        foreach (var kind in routes.ServiceProvider.GetRequiredService<SourceKinds>().All.Where(kind => kind.Receiver is not null))
        {
            routes.MapDeliveries($"/webhooks/{kind.Name}", kind);
        }
    }

    /// <param name="address">One of those that the kind's deliveries are sent to.</param>
    public static void MapDeliveries(this IEndpointRouteBuilder routes, string address, SourceKind kind)
    {
        routes.MapPost(address, (HttpContext context, Deliveries deliveries) => deliveries.TakeAsync(context, kind))
            .Produces<DeliveredAnswer>()
            .WithTags("Sources").WithSummary($"What {kind.Title} sends, signed by it.").AsDelivery();
    }

    /// <summary>Open to anybody, within bounds; what is a little too large is read and dropped, so that the refusal reaches its sender.</summary>
    public static void AsDelivery(this RouteHandlerBuilder route) => route.Public().FillsDisk().PerMinute(Deliveries.GuessesPerMinuteMax)
        .PublicBodyBytesMax(Deliveries.BytesMax).BodyBytesMax(2 * Deliveries.BytesMax);
}

/// <summary>For the description: written by the receiver of each kind.</summary>
/// <param name="Event">What happened, as the source calls it.</param>
/// <param name="Issue">The key of the document that it is about.</param>
internal sealed record DeliveredAnswer(string Status, string? Event = null, string? Issue = null);
