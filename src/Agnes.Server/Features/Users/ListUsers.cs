using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;

namespace Agnes.Server.Features.Users;

internal static class ListUsers
{
    private const int LimitMax = 10_000;

    /// <summary>Grows with the number of users: the admin's list of them.</summary>
    public static IResult All(HttpContext context, GroupOrigins origins)
    {
        var query = new RequestQuery(context);
        var text = query.Text("q");
        var limit = query.Integer("limit", LimitMax, min: 1, max: LimitMax);
        var offset = query.Integer("offset", 0, min: 0, max: int.MaxValue);
        query.ThrowIfInvalid();
        var snapshot = context.Snapshot();
        IReadOnlyList<UserView> users =
        [
            .. snapshot.UsersById.Values
                .Where(user => text is null || user.Email.Contains(text, StringComparison.OrdinalIgnoreCase) || user.Name?.Contains(text, StringComparison.OrdinalIgnoreCase) is true)
                .OrderBy(user => user.Email, StringComparer.Ordinal)
                .Skip(offset)
                .Take(limit)
                .Select(user => UserView.Of(snapshot, user, origins)),
        ];
        return JsonBody.Of(users, UsersJson.Default.IReadOnlyListUserView);
    }

    public static IResult One(HttpContext context, GroupOrigins origins, string id) => context.Snapshot().User(id) is { } user
        ? JsonBody.Of(UserView.Of(context.Snapshot(), user, origins), UsersJson.Default.UserView)
        : Problem.NotFound(UserStore.NotFound);
}
