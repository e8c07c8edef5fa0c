using System.Text.Json.Nodes;
using Agnes.Server.Features.Groups;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

/// <summary>What an admin can do about somebody else's password.</summary>
internal static class UserPassword
{
    /// <summary>The link goes to the admin, who hands it on; no mail is sent, and no log holds it.</summary>
    public static async Task<IResult> ResetAsync(HttpContext context, StateDb state, ServerOptions options, GroupOrigins origins, string id, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        var view = await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListUsers.NotFound);
                origins.RefuseSsoUser(write.Before, user);
                if (!user.Active) throw new ProblemException(StatusCodes.Status409Conflict, "The account is deactivated: activate it first.");
                var token = await PasswordLinks.CreateAsync(write, id, LinkPurpose.Reset);
                write.Audit(actor, "user.reset_password", $"user:{id}", new JsonObject { ["email"] = user.Email });
                return new ResetLinkView(PasswordLinks.Address(options, context, LinkPurpose.Reset, user.Email, token), EmailSent: false);
            },
            stop);
        return JsonBody.Of(view, UsersJson.Default.ResetLinkView);
    }

    public static async Task<IResult> SetAsync(HttpContext context, StateDb state, Passwords passwords, GroupOrigins origins, string id, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var password = body.String("password");
        body.ThrowIfInvalid();
        if (Passwords.Fault(password) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        if (context.Snapshot().User(id) is null) return Problem.NotFound(ListUsers.NotFound);
        var hash = await passwords.HashAsync(password, stop);
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, ListUsers.NotFound);
                origins.RefuseSsoUser(write.Before, user);
                await UserStore.SetPasswordAsync(write, user, hash);
                write.Audit(actor, "user.set_password", $"user:{id}", new JsonObject { ["email"] = user.Email });
            },
            stop);
        return TypedResults.NoContent();
    }
}
