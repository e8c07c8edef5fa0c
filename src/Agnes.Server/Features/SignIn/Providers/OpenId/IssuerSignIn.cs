using System.Text.Json.Nodes;
using Agnes.Server.Features.SignIn.Mail;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Providers.OpenId;

/// <summary>What differs between providers of this kind.</summary>
/// <param name="Client">Null: not configured, or not rightly.</param>
/// <param name="NotConfigured">The code that the sign-in page explains.</param>
internal sealed record IssuerProvider(string Key, OpenIdClient? Client, string NotConfigured)
{
    /// <summary>For people.</summary>
    public string Name { get; init; } = "Google";

    public string EmailClaim { get; init; } = "email";

    public bool TrustsEmail { get; init; }

    /// <summary>A further look at the claims; refuses by <see cref="SignInRefusedException"/>.</summary>
    public Action<JsonObject>? Check { get; init; }

    /// <summary>The groups that the directory, or the token, names.</summary>
    public Func<IssuerAccount, JsonObject, CancellationToken, Task<GroupAnswer>>? GroupsAsync { get; init; }

    public DirectoryGroups? Groups { get; init; }

    /// <summary>Besides the protocol's own, in the address of the issuer's page.</summary>
    public IReadOnlyList<(string Name, string Value)> Parameters { get; init; } = [];
}

/// <summary>Sign-in through an issuer from button to session: who may come in, as whom, in which groups. Whatever is not as it should be ends at the sign-in page.</summary>
internal sealed partial class IssuerSignIn(
    OpenIdFlow flow, SessionBegin sessions, AccountNotices notices, StateDb state, AuditLog audit, RateLimits limits, ServerOptions options, ILogger<IssuerSignIn> log)
{
    public const int PerMinuteMax = 30;

    public async Task<IResult> StartAsync(HttpContext context, IssuerProvider provider)
    {
        limits.Take(context);
        if (provider.Client is not { } client) return ToLogin(provider.NotConfigured);
        try
        {
            return Results.Redirect(await flow.StartAsync(context, client, LocalPath.Accept(context.Request.Query["next"]), provider.Parameters));
        }
        catch (IssuerException fault)
        {
            LogRefused(log, provider.Key, fault.Message);
            return ToLogin(SignInRefusedException.Failed);
        }
    }

    public async Task<IResult> FinishAsync(HttpContext context, IssuerProvider provider)
    {
        limits.Take(context);
        context.Response.Headers.CacheControl = "no-store";
        if (provider.Client is not { } client) return ToLogin(provider.NotConfigured);
        try
        {
            var (claims, next) = await flow.FinishAsync(context, client, provider.EmailClaim);
            var account = IssuerAccount.Of(client, claims, provider.EmailClaim, provider.TrustsEmail);
            if (!options.SignIn.IsAllowedDomain(account.Domain)) throw new SignInRefusedException("domain_not_allowed", "The address's domain may not sign in.");
            provider.Check?.Invoke(claims);
            var groups = provider.GroupsAsync is { } ask ? await ask(account, claims, context.RequestAborted) : new GroupAnswer.NotAsked();
            var (user, isLinked) = await state.WriteAsync(write => AdmitAsync(write, provider, account, groups), context.RequestAborted);
            if (isLinked) notices.IdentityLinked(user, provider.Name);
            await sessions.SetCookieAsync(context, user, provider.Key);
            await NoteAsync(context, provider, user.Id, "login", null, null);
            return Results.Redirect(LocalPath.Accept(next) ?? options.HomeRoute);
        }
        catch (ProblemException overtaken) when (SessionBegin.IsOvertaken(overtaken))
        {
            return ToLogin(SignInRefusedException.Failed);
        }
        catch (SignInRefusedException refused)
        {
            LogRefused(log, provider.Key, refused.Message);
            await NoteAsync(context, provider, null, "login_failed", refused.Code, refused.Message);
            return ToLogin(refused.Code);
        }
    }

    /// <summary>The user, made if there is none, with the groups as of now; all of it or nothing.</summary>
    private static async Task<(UserRow User, bool IsLinked)> AdmitAsync(StateWrite write, IssuerProvider provider, IssuerAccount account, GroupAnswer groups)
    {
        var (known, isLinked) = await KnownAsync(write, account);
        if (known is { Active: false }) throw new SignInRefusedException("deactivated", "The account is deactivated.");
        RefuseStrangers(write, provider, known, groups);
        var user = known;
        if (user is null)
        {
            user = await NewUser.AddAsync(write, account.Email, account.Name ?? account.Email[..account.Email.IndexOf('@', StringComparison.Ordinal)], passwordHash: null);
            await Identities.LinkAsync(write, account.Issuer, account.Subject, user.Id, account.Email);
            write.Audit(user.Id, "user.create", $"user:{user.Id}", new JsonObject { ["email"] = account.Email, ["by"] = provider.Key });
        }

        if (provider.Groups is { } directory && groups is GroupAnswer.Known answer) await directory.WriteAsync(write, user, answer.Names);
        return (write.Current.User(user.Id)!, isLinked);
    }

    /// <summary>By the subject, which stays; by the address only for an account that no other subject of the issuer has.</summary>
    private static async Task<(UserRow? User, bool IsLinked)> KnownAsync(StateWrite write, IssuerAccount account)
    {
        if (await Identities.FindAsync(write, account.Issuer, account.Subject) is { } identity && write.Before.User(identity.UserId) is { } linked)
        {
            await Identities.UsedAsync(write, account.Issuer, account.Subject, account.Email);
            return (linked, false);
        }

        if (write.Before.UserByEmail(account.Email) is not { } user) return (null, false);
        if (await Identities.OfUserAsync(write, account.Issuer, user.Id) is not null) throw new SignInRefusedException("account_conflict", "The address belongs to another account of the issuer.");
        await Identities.LinkAsync(write, account.Issuer, account.Subject, user.Id, account.Email);
        write.Audit(user.Id, "user.link_identity", $"user:{user.Id}", new JsonObject { ["issuer"] = account.Issuer, ["email"] = account.Email });
        return (user, true);
    }

    /// <summary>Where groups decide who may come in: nobody without one, and nobody new while they cannot be looked at.</summary>
    private static void RefuseStrangers(StateWrite write, IssuerProvider provider, UserRow? known, GroupAnswer groups)
    {
        if (provider.Groups is not { Prefix: not null } directory) return;
        switch (groups)
        {
            case GroupAnswer.Known answer when !directory.LetsIn(answer.Names):
                throw new SignInRefusedException("not_in_allowed_group", "None of the person's groups may use this server.");
            case not GroupAnswer.Known when known is null || !write.Before.MembershipsOf(known.Id).Any(row => row.Source == directory.Source):
                throw new SignInRefusedException("group_check_unavailable", "The person's groups could not be looked at.");
            default:
                return;
        }
    }

    /// <param name="reason">For admins: the person is told the code alone.</param>
    private async Task NoteAsync(HttpContext context, IssuerProvider provider, string? userId, string action, string? result, string? reason)
    {
        var what = new JsonObject { ["provider"] = provider.Key, ["ip"] = context.Client().Text, ["request_id"] = context.TraceIdentifier };
        if (reason is not null) what["reason"] = reason;
        await audit.AppendAsync(userId, action, PasswordCheck.Resource, what, result, cancellation: context.RequestAborted);
    }

    /// <summary>307, as the original.</summary>
    private static IResult ToLogin(string code) => Results.Redirect($"/login?error={code}", permanent: false, preserveMethod: true);

    [LoggerMessage(EventId = 5410, Level = LogLevel.Warning, Message = "Sign-in with {Provider} did not work: {Reason}")]
    private static partial void LogRefused(ILogger log, string provider, string reason);
}
