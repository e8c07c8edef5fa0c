using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

internal static class UpdateUser
{
    private const int NameCharsMax = 256;

    public static async Task<IResult> PatchAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var name = body.OptionalString("name")?.Trim();
        var active = body.OptionalBoolean("active");
        if (name?.Length > NameCharsMax) body.Refuse("name", $"at most {NameCharsMax} characters");
        body.ThrowIfInvalid();
        return await ChangeAsync(context, state, origins, id, name, active, stop);
    }

    public static Task<IResult> DeactivateAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, CancellationToken stop) =>
        ChangeAsync(context, state, origins, id, null, active: false, stop);

    public static Task<IResult> ActivateAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, CancellationToken stop) =>
        ChangeAsync(context, state, origins, id, null, active: true, stop);

    private static async Task<IResult> ChangeAsync(HttpContext context, StateDb state, GroupOrigins origins, string id, string? name, bool? active, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        var view = await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                var changes = new JsonObject();
                var next = user;
                if (name is not null && name != user.Name)
                {
                    next = next with { Name = name };
                    changes["name"] = name;
                }

                if (active is { } wanted && wanted != user.Active)
                {
                    next = wanted ? Activated(next) : Deactivated(write, next, actor, context.RequestServices.GetRequiredService<ServerOptions>());
                    changes["active"] = wanted;
                }

                if (changes.Count > 0)
                {
                    if (next.Active) await UserStore.UpdateAsync(write, next);
                    else await UserStore.CloseAsync(write, next, context.RequestServices.GetRequiredService<Belongings>());
                    if (next.Active) await Everyone.AddAsync(write, id);
                    write.Audit(actor, "user.update", $"user:{id}", changes);
                }

                return UserView.Of(write.Current, next, origins);
            },
            stop);
        return JsonBody.Of(view, UsersJson.Default.UserView);
    }

    private static UserRow Activated(UserRow user) => user with { Active = true, DeactivatedAt = null, DeactivatedBy = null };

    /// <summary>Sessions from before do not come back to life with the account.</summary>
    private static UserRow Deactivated(StateWrite write, UserRow user, string actor, ServerOptions options)
    {
        if (user.Id == actor) throw new ProblemException(StatusCodes.Status409Conflict, "Cannot deactivate yourself");
        LastAdmin.Refuse(write.Before, user, options);
        return user with { Active = false, DeactivatedAt = write.Now, DeactivatedBy = actor, SessionsValidAfter = write.Now };
    }
}
