using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

/// <summary>What an admin can do about somebody else's password.</summary>
internal static class UserPassword
{
    /// <summary>The link goes to the admin, and by mail to its owner where mail can be sent; no log holds it.</summary>
    public static async Task<IResult> ResetAsync(HttpContext context, StateDb state, ServerOptions options, LinkMail mail, GroupOrigins origins, string id, CancellationToken stop)
    {
        var actor = context.Caller().UserId;
        var isMailed = mail.CanMail(context);
        var (user, token) = await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                origins.RefuseSsoUser(write.Before, user);
                if (!user.Active) throw new ProblemException(StatusCodes.Status409Conflict, "The account is deactivated: activate it first.");
                var token = await PasswordLinks.CreateAsync(write, id, LinkPurpose.Reset);
                write.Audit(actor, "user.reset_password", $"user:{id}", new JsonObject { ["email"] = user.Email, ["email_sent"] = isMailed });
                return (user, token);
            },
            stop);
        mail.Post(context, LinkPurpose.Reset, user.Email, token);
        return JsonBody.Of(new ResetLinkView(PasswordLinks.Address(options, context, LinkPurpose.Reset, user.Email, token), isMailed), UsersJson.Default.ResetLinkView);
    }

    public static async Task<IResult> SetAsync(HttpContext context, StateDb state, NewPasswords passwords, GroupOrigins origins, string id, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var password = body.String("password");
        body.ThrowIfInvalid();
        var known = context.Snapshot().User(id);
        if (passwords.Fault(password, known?.Email ?? "", known?.Name) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        if (known is null) return Problem.NotFound(UserStore.NotFound);
        var hash = await passwords.HashAsync(password, stop);
        var actor = context.Caller().UserId;
        await state.WriteAsync(
            async write =>
            {
                var user = write.Before.User(id) ?? throw new ProblemException(StatusCodes.Status404NotFound, UserStore.NotFound);
                origins.RefuseSsoUser(write.Before, user);
                await passwords.StoreAsync(write, user, hash);
                write.Audit(actor, "user.set_password", $"user:{id}", new JsonObject { ["email"] = user.Email });
            },
            stop);
        passwords.Tell(known);
        return TypedResults.NoContent();
    }
}
