using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

/// <summary>Setting a password with a link. The link is used up in the same transaction that stores the password, so exactly one of two racing requests wins.</summary>
internal static class SetPassword
{
    public const int PerMinuteMax = 10;
    private const string BadLink = "Invalid or expired link";

    public static async Task<IResult> SetupAsync(HttpContext context, StateDb state, NewPasswords passwords, SessionBegin sessions, RateLimits limits, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var (email, token, password) = (body.String("email"), body.String("token"), body.String("password"));
        body.ThrowIfInvalid();
        limits.Take(context, token);
        var user = await StoreAsync(state, passwords, LinkPurpose.Setup, email, token, password, null, stop);
        return JsonBody.Of(new PasswordSet(await sessions.BeginAsync(context, user, "link"), "bearer", "Password set"), SignInJson.Default.PasswordSet);
    }

    public static Task<IResult> SetupFormAsync(HttpContext context, StateDb state, NewPasswords passwords, SessionBegin sessions, RateLimits limits, ServerOptions options, CancellationToken stop) =>
        FormAsync(context, state, passwords, sessions, limits, LinkPurpose.Setup, options.HomeRoute, stop);

    public static Task<IResult> ResetFormAsync(HttpContext context, StateDb state, NewPasswords passwords, SessionBegin sessions, RateLimits limits, ServerOptions options, CancellationToken stop) =>
        FormAsync(context, state, passwords, sessions, limits, LinkPurpose.Reset, "/login/password?msg=password_reset", stop);

    /// <summary>A fault leads back to the form, which shows it; the token travels along, so that it can be tried again.</summary>
    private static async Task<IResult> FormAsync(
        HttpContext context, StateDb state, NewPasswords passwords, SessionBegin sessions, RateLimits limits, LinkPurpose purpose, string done, CancellationToken stop)
    {
        var form = await RequestForm.ReadAsync(context);
        var (email, token, password, confirmed) = (form.String("email"), form.String("token"), form.String("password"), form.String("confirm_password"));
        var name = form.Optional("name")?.Trim();
        form.ThrowIfInvalid();
        var path = purpose == LinkPurpose.Setup ? "/auth/password/setup" : "/auth/password/reset";
        limits.Take(context, token);
        IResult Again(string error) => TypedResults.Redirect($"{path}?email={Uri.EscapeDataString(email)}&token={Uri.EscapeDataString(token)}&error={error}");
        if (password != confirmed) return Again("mismatch");
        if (passwords.Fault(password, email, name) is not null) return Again(password.Length is < PasswordRules.CharsMin or > PasswordRules.CharsMax ? "length" : "common");
        try
        {
            var user = await StoreAsync(state, passwords, purpose, email, token, password, name, stop);
            await sessions.SetCookieAsync(context, user, "link");
            return TypedResults.Redirect(done);
        }
        catch (ProblemException refused) when (SessionBegin.IsOvertaken(refused) || refused.Status is StatusCodes.Status400BadRequest or StatusCodes.Status403Forbidden or StatusCodes.Status404NotFound)
        {
            return Again("link");
        }
    }

    private static async Task<UserRow> StoreAsync(
        StateDb state, NewPasswords passwords, LinkPurpose purpose, string email, string token, string password, string? name, CancellationToken stop)
    {
        // Hashed before the write, which must be short; the rate limit bounds what a wrong token can cost.
        var fault = passwords.Fault(password, email, name);
        var hash = fault is null ? await passwords.HashAsync(password, stop) : null;
        var set = await state.WriteAsync(
            async write =>
            {
                var user = write.Before.UserByEmail(email.Trim());
                if (!await PasswordLinks.ConsumeAsync(write, user?.Id, purpose, token) || user is null) throw new ProblemException(StatusCodes.Status400BadRequest, BadLink);
                if (!user.Active) throw new ProblemException(StatusCodes.Status403Forbidden, "Account deactivated");
                if (hash is null) throw new ProblemException(StatusCodes.Status400BadRequest, fault!);
                await passwords.StoreAsync(write, user with { Name = string.IsNullOrEmpty(name) ? user.Name : name }, hash);
                write.Audit(user.Id, "user.set_password", $"user:{user.Id}", new JsonObject { ["email"] = user.Email, ["by"] = "link" });
                return write.Current.User(user.Id)!;
            },
            stop);
        if (purpose == LinkPurpose.Reset) passwords.Tell(set);
        return set;
    }
}
