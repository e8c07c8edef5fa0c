using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.SignIn;

internal static class Profile
{
    public static IResult Show(HttpContext context)
    {
        var (snapshot, caller) = (context.Snapshot(), context.Caller());
        var user = snapshot.User(caller.UserId)!;
        var groups = snapshot.MembershipsOf(caller.UserId)
            .DistinctBy(row => row.GroupId)
            .Select(row => new ProfileGroup(row.GroupId, snapshot.Group(row.GroupId)!.Name, row.Source))
            .OrderBy(group => group.Name, StringComparer.Ordinal)
            .ToList();
        return JsonBody.Of(new ProfileView(user.Id, user.Email, user.Name, caller.IsAdmin, user.Onboarded, groups), SignInJson.Default.ProfileView);
    }
}
