using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

internal static class Onboarded
{
    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, CancellationToken stop)
    {
        var body = await RequestBody.ReadOptionalAsync(context);
        var source = body.OneOf("source", "agnes_init", "agnes_init", "self_acknowledged", "self_unmark");
        var onboarded = body.Boolean("onboarded", absent: true);
        body.ThrowIfInvalid();
        var caller = context.Caller();
        await state.WriteAsync(
            async write =>
            {
                if (write.Before.User(caller.UserId) is not { } user) return;
                if (user.Onboarded != onboarded) await UserStore.UpdateAsync(write, user with { Onboarded = onboarded });
                write.Audit(user.Id, onboarded ? "user_onboarded" : "user_offboarded", null, new JsonObject { ["source"] = source }, "ok");
            },
            stop);
        return JsonBody.Of(new OnboardedView("ok", onboarded), SignInJson.Default.OnboardedView);
    }
}
