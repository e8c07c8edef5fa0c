using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Identity;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.Tokens;

internal static class CreateToken
{
    private const int NameCharsMax = 128;
    private const int DaysDefault = 90;
    private const int DaysMax = 3650;
    private const int SecondsMax = DaysMax * 86_400;
    private const int ActiveTokensMax = 200;
    private const int PrefixChars = 8;
    public const int PerMinuteMax = 30;

    /// <summary>What a fresh laptop gets to set itself up with never lives longer, whatever was asked.</summary>
    private static readonly TimeSpan BootstrapLifetimeMax = TimeSpan.FromHours(1);

    public static async Task<IResult> HandleAsync(HttpContext context, StateDb state, SessionTokens tokens, RateLimits limits, ServerOptions options, CancellationToken stop)
    {
        var caller = context.Caller();
        if (caller.Kind != CallerKind.Session)
        {
            var not = caller.Kind == CallerKind.Service ? "a service token" : "a PAT";
            return Problem.Detail(StatusCodes.Status403Forbidden, $"Creating a token needs an interactive session, not {not}: sign in first.");
        }

        var body = await RequestBody.ReadAsync(context);
        var name = body.String("name").Trim();
        var days = body.Has("expires_in_days") ? body.OptionalInteger("expires_in_days") : Math.Min(DaysDefault, options.TokenDaysMax ?? DaysDefault);
        var seconds = body.OptionalInteger("ttl_seconds");
        var scope = body.String("scope", TokenScope.General).Trim();
        body.ThrowIfInvalid();
        if (Fault(name, days, seconds, scope) is { } fault) return Problem.Detail(StatusCodes.Status400BadRequest, fault);
        limits.Take(context, caller.UserId);

        var lifetime = Lifetime(days, seconds, scope);
        if (options.TokenDaysMax is { } daysMax && (lifetime is null || lifetime > TimeSpan.FromDays(daysMax)))
        {
            return Problem.Detail(StatusCodes.Status400BadRequest, $"Tokens of this server live {daysMax} days at most (auth.max_pat_days).");
        }

        var created = await state.WriteAsync(write => AddAsync(write, tokens, caller, name, scope, lifetime), stop);
        return JsonBody.Of(created, TokensJson.Default.CreatedToken, StatusCodes.Status201Created);
    }

    private static string? Fault(string name, int? days, int? seconds, string scope) => name.Length switch
    {
        0 => "name must not be blank",
        > NameCharsMax => $"name must have at most {NameCharsMax} characters",
        _ when seconds is <= 0 or > SecondsMax => $"ttl_seconds must be between 1 and {SecondsMax}",
        _ when days is <= 0 or > DaysMax => $"expires_in_days must be between 1 and {DaysMax}, or null for a token that never expires",
        _ when !TokenScope.Known.Contains(scope) => $"Unknown scope '{scope}'. Known: {string.Join(", ", TokenScope.Known)}.",
        _ => null,
    };

    private static TimeSpan? Lifetime(int? days, int? seconds, string scope)
    {
        TimeSpan? asked = seconds is { } given ? TimeSpan.FromSeconds(given) : days is { } count ? TimeSpan.FromDays(count) : null;
        return scope == TokenScope.Bootstrap && (asked is null || asked > BootstrapLifetimeMax) ? BootstrapLifetimeMax : asked;
    }

    internal static async Task<CreatedToken> AddAsync(StateWrite write, SessionTokens tokens, Caller caller, string name, string scope, TimeSpan? lifetime)
    {
        var active = write.Before.TokenIdsOf(caller.UserId).Count(id => write.Before.Token(id) is { RevokedAt: null } row && (row.ExpiresAt is null || row.ExpiresAt > write.Now));
        if (active >= ActiveTokensMax)
        {
            throw new ProblemException(StatusCodes.Status409Conflict, $"You have {active} active tokens, which is the most there can be: revoke some first.");
        }

        var id = Guid.NewGuid().ToString("D");
        var expires = lifetime is { } length ? write.Now + length : (DateTime?)null;
        var token = tokens.Personal(caller.UserId, caller.Email, id, scope, write.Now, expires);
        var row = new TokenRow
        {
            Id = id,
            UserId = caller.UserId,
            Name = name,
            TokenHash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(token))),
            Prefix = id[..PrefixChars],
            Scopes = scope,
            CreatedAt = write.Now,
            ExpiresAt = expires,
        };
        await TokenStore.InsertAsync(write, row);
        write.Audit(caller.UserId, "token.create", $"token:{id}", new JsonObject { ["name"] = name, ["scope"] = scope });
        return new CreatedToken(id, name, row.Prefix, token, expires is { } at ? Timestamps.SpacedWithOffset(at) : null, Timestamps.SpacedWithOffset(write.Now));
    }
}
