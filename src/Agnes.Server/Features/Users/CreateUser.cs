using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Users;

internal static class CreateUser
{
    private const int NameCharsMax = 256;

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, ServerOptions options, LinkMail mail, GroupOrigins origins, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var email = body.String("email").Trim();
        var name = body.String("name").Trim();
        var invite = body.Boolean("send_invite", absent: false);
        if (email.Length > 0 && !EmailAddress.IsValid(email)) body.Refuse("email", "value is not a valid email address");
        if (name.Length > NameCharsMax) body.Refuse("name", $"at most {NameCharsMax} characters");
        body.ThrowIfInvalid();
        var actor = context.Caller().UserId;
        var isMailed = invite && mail.CanMail(context);
        var (view, setup) = await state.WriteAsync(
            async write =>
            {
                if (write.Before.UserByEmail(email) is not null) throw new ProblemException(StatusCodes.Status409Conflict, $"A user with the e-mail {email} exists already.");
                var user = await NewUser.AddAsync(write, email, name, passwordHash: null);
                write.Audit(actor, "user.create", $"user:{user.Id}", new JsonObject { ["email"] = email, ["name"] = name });
                var made = UserView.Of(write.Current, user, origins);
                if (!invite) return (made, (string?)null);
                var token = await PasswordLinks.CreateAsync(write, user.Id, LinkPurpose.Setup);
                write.Audit(actor, "user.invite", $"user:{user.Id}", new JsonObject { ["email"] = email, ["email_sent"] = isMailed });
                return (made with { InviteUrl = PasswordLinks.Address(options, context, LinkPurpose.Setup, email, token), InviteEmailSent = isMailed }, token);
            },
            stop);
        if (setup is not null) mail.Post(context, LinkPurpose.Setup, email, setup);
        return JsonBody.Of(view, UsersJson.Default.UserView, StatusCodes.Status201Created);
    }
}
