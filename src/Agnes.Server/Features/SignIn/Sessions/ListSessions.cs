using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Sessions;

/// <summary>Sessions that are good at the moment, newest first.</summary>
internal static class ListSessions
{
    private const int ListedMax = 200;

    public static async Task<IResult> OwnAsync(HttpContext context, StateDb state, TimeProvider time, CancellationToken stop)
    {
        var caller = context.Caller();
        return Answer(await ActiveAsync(state, context.Snapshot(), caller.UserId, time, stop), caller.SessionId);
    }

    public static async Task<IResult> OfUserAsync(HttpContext context, StateDb state, TimeProvider time, string id, CancellationToken stop)
    {
        if (context.Snapshot().User(id) is null) return Problem.NotFound(UserStore.NotFound);
        return Answer(await ActiveAsync(state, context.Snapshot(), id, time, stop), context.Caller().SessionId);
    }

    public static async Task<IReadOnlyList<SessionRow>> ActiveAsync(StateDb state, Snapshot snapshot, string userId, TimeProvider time, CancellationToken stop)
    {
        if (snapshot.User(userId) is not { Active: true } user) return [];
        await state.FlushAsync(stop); // the last use is appended
        var rows = await state.ReadAsync<SessionRow>(SessionStore.ActiveSql, new { userId, now = time.Micros(), limit = ListedMax }, stop);
        return [.. rows.Where(row => user.SessionsValidAfter is not { } after || row.CreatedAt >= after)];
    }

    private static IResult Answer(IReadOnlyList<SessionRow> rows, string? current) =>
        JsonBody.Of<IReadOnlyList<SessionView>>([.. rows.Select(row => SessionView.Of(row, current))], SessionsJson.Default.IReadOnlyListSessionView);
}
