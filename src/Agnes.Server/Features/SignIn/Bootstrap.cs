using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn;

internal static class Bootstrap
{
    public const int PerMinuteMax = 3;
    private const string Closed = "Bootstrap is closed: this server has an admin. Sign in with POST /auth/token (agnes auth login).";

    public static async Task<IResult> HandleAsync(
        HttpContext context, StateDb state, NewPasswords passwords, SessionBegin sessions, RateLimits limits, ServerOptions options, CancellationToken stop)
    {
        var body = await RequestBody.ReadAsync(context);
        var email = body.String("email").Trim();
        var name = body.String("name", "").Trim();
        var password = body.String("password", "");
        var code = body.OptionalString("code")?.Trim();
        if (!EmailAddress.IsValid(email)) body.Refuse("email", "value is not a valid email address");
        body.ThrowIfInvalid();
        limits.Take(context, code ?? "");
        if (!BootstrapWindow.LooksOpen(context.Snapshot())) return Refused(Closed);
        if (!BootstrapWindow.MayUse(context, options, code))
        {
            return Refused($"The first admin is made with the one-time code: send it as code, or in the header {BootstrapWindow.TokenHeader}. It is what the file .bootstrap_code of the state folder holds, or AGNES_BOOTSTRAP_TOKEN where the server has it.");
        }

        if (password.Length > 0 && passwords.Fault(password, email, name) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        var hash = password.Length > 0 ? await passwords.HashAsync(password, stop) : null;
        var user = await state.WriteAsync(write => AddAsync(write, email, name, hash), stop);
        if (user is null) return Refused(Closed);
        BootstrapWindow.DropCode(options);
        var token = await sessions.BeginAsync(context, user, "bootstrap");
        SessionCookie.Set(context, options, token);
        return JsonBody.Of(new IssuedToken(token, "bearer", user.Id, user.Email, RoleName.Of(isAdmin: true)), SignInJson.Default.IssuedToken);
    }

    private static async Task<UserRow?> AddAsync(StateWrite write, string email, string name, string? hash)
    {
        if (!await BootstrapWindow.TryCloseAsync(write)) return null;
        var seeded = write.Before.UserByEmail(email);
        var user = seeded ?? await NewUser.AddAsync(write, email, name.Length > 0 ? name : "Admin", hash);
        if (seeded is not null) await UserStore.SetPasswordAsync(write, seeded with { Active = true, Name = name.Length > 0 ? name : seeded.Name }, hash);
        var admins = write.Current.GroupByName(Snapshot.AdminGroup)!;
        if (!write.Current.GroupIdsOf(user.Id).Contains(admins.Id)) await MembershipStore.AddAsync(write, user.Id, admins.Id, Everyone.SeedSource, BootstrapWindow.AddedBy);
        write.Audit(user.Id, seeded is null ? "bootstrap_completed" : "bootstrap_activated_seed", PasswordCheck.Resource, new JsonObject { ["email"] = email });
        return write.Current.User(user.Id);
    }

    private static IResult Refused(string detail) => Problem.Detail(StatusCodes.Status403Forbidden, detail);
}
