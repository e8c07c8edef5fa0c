using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Sources.Events;

/// <summary>How the sources do that send by themselves, and their journals folded again. Admins only.</summary>
internal static class EventsEndpoints
{
    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        var admin = routes.MapGroup("/api/admin/events").WithTags("Sources").Admin();
        admin.MapGet("", (HttpContext context, EventIntakes intakes, SourceKinds kinds) => Handle(context, intakes, kinds))
            .Produces<EventSources>()
            .WithSummary(
                "The sources that send by themselves: what waits, what came of it, and what is newer than their tables' versions.");
        admin.MapPost("/{source}/replay", ReplayAsync).Produces<EventReplay>(StatusCodes.Status202Accepted)
            .WithSummary("Fold the journal again from a time on (?from=ISO 8601; else all that is kept).");
    }

    private static IResult Handle(HttpContext context, EventIntakes intakes, SourceKinds kinds)
    {
        var sources = kinds.All.OfType<IEventKind>().SelectMany(kind => kind.Events(context.RequestServices))
            .Select(source => Show(source.Name, intakes.Find(source.Name), context.Snapshot().Tails.GetValueOrDefault(source.Name)));
        return JsonBody.Of(new EventSources([.. sources]), EventsJson.Default.EventSources);
    }

    private static EventSourceView Show(string name, EventIntake? intake, EventTail? tail) => new(
        name,
        TakenHere: intake is not null,
        intake?.Waiting,
        Iso(intake?.LastTakenAt),
        Iso(tail?.Row.UpdatedAt),
        Iso(tail?.Row.FoldedAt),
        tail?.Runs.Count ?? 0,
        tail?.Runs.Sum(run => run.Documents) ?? 0,
        intake?.Counts.Applied,
        intake?.Counts.Known,
        intake?.Counts.Unknown,
        intake?.Counts.Broken,
        intake?.Fault);

    private static string? Iso(DateTime? time) => time is { } at && at > DateTime.UnixEpoch ? at.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture) : null;

    private static async Task<IResult> ReplayAsync(HttpContext context, StateDb state, EventIntakes intakes, string source, string? from)
    {
        var since = DateTime.MinValue;
        if (from is not null)
        {
            if (!DateTimeOffset.TryParse(from, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment))
                return Problem.Detail(StatusCodes.Status422UnprocessableEntity, "from: write a time as 2026-05-01T10:00:00Z");
            since = moment.UtcDateTime;
        }

        if (intakes.Find(source) is not { } intake) return Problem.NotFound($"No source '{source}' sends to this process.");
        var position = await intake.PositionOfAsync(since, context.RequestAborted);
        await state.WriteAsync(
            async write =>
            {
                var row = write.Current.Tails.GetValueOrDefault(source)?.Row ?? EventTails.First(intake.Source, write.Now);
                await write.SaveAsync(row with { Number = row.Number + 1, Position = Math.Min(row.Position, position), UpdatedAt = write.Now });
                write.Audit(context.Caller().UserId, "events.replay", $"source:{source}", new JsonObject { ["from"] = from, ["position"] = position }, "ok");
            },
            context.RequestAborted);
        intake.Wake();
        return JsonBody.Of(
            new EventReplay(source, Math.Max(0, intake.Durable - position)), EventsJson.Default.EventReplay, StatusCodes.Status202Accepted);
    }
}

internal sealed record EventSources(IReadOnlyList<EventSourceView> Sources);

/// <param name="TakenHere">Whether this process takes what it sends; where not, nothing is known of what waits.</param>
internal sealed record EventSourceView(
    string Source, bool TakenHere, long? WaitingBytes, string? LastTakenAt, string? LastFoldedAt, string? LastPublishedAt, int TailRuns,
    long TailDocuments, long? Applied, long? Known, long? Unknown, long? Broken, string? Fault);

/// <param name="Bytes">Of the journal, that are folded again.</param>
internal sealed record EventReplay(string Source, long Bytes);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(EventSources))]
[JsonSerializable(typeof(EventReplay))]
internal sealed partial class EventsJson : JsonSerializerContext;
