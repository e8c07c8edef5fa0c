using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Audit;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>Exactly one of the two is set.</summary>
internal readonly record struct Authentication(Caller? Caller, string? Failure);

/// <summary>
/// Finds out who asks. Everything is decided from the pinned snapshot; only a token's signature is remembered from request to request,
/// never its validity.
/// </summary>
internal sealed partial class Authenticator(StateDb state, AuditLog audit, SigningKey key, ServiceSecret service, KnownSessions known, SessionUses sessions, ServerOptions options, TimeProvider time, ILogger<Authenticator> log)
{
    public const string Missing = "Missing or invalid Authorization header";
    private const int TokensRememberedMax = 10_000;
    private const int AddressesRememberedMax = 10_000;
    private static readonly object Seen = new();
    private readonly RecentCache<Digest, Remembered> _remembered = new(TokensRememberedMax);
    private readonly RecentCache<(string TokenId, string Address), object> _addresses = new(AddressesRememberedMax);

    /// <summary>Before <see cref="Authenticate"/>, which asks memory alone: a session that this process does not know is looked up in its table.</summary>
    /// <returns>False when that cannot be said at the moment.</returns>
    public ValueTask<bool> PrepareAsync(HttpContext context)
    {
        var token = CredentialOf(context).Token;
        return token is not null && Claims(token) is { Claims: { Type: SessionTokens.SessionType } claims } ? known.LookUpAsync(claims.Id, context.RequestAborted) : ValueTask.FromResult(true);
    }

    public Credential CredentialOf(HttpContext context)
    {
        var bearer = BearerToken.Of(context.Request);
        var cookie = bearer is null ? SessionCookie.Read(context, options) : default;
        return new Credential(bearer ?? cookie.Value, bearer is not null, cookie.IsAmbiguous, context.Client().Text);
    }

    /// <summary>Also of a request that runs on, or is over.</summary>
    public Authentication Authenticate(Credential credential, Snapshot snapshot)
    {
        var (token, fromHeader) = (credential.Token, credential.IsFromHeader);
        if (credential.IsAmbiguous) return Fail(SessionCookie.Ambiguous);
        if (string.IsNullOrEmpty(token)) return Fail(Missing);
        var outcome = fromHeader && service.Is(token) ? Service(snapshot) : Resolve(token, fromHeader, snapshot);
        if (outcome.Caller is { TokenId: { } id } caller) NoteUse(caller, id, credential.Address);
        if (outcome.Caller is { SessionId: { } session }) sessions.Seen(session);
        return outcome;
    }

    private static Authentication Service(Snapshot snapshot)
    {
        if (snapshot.UserByEmail(ServiceSecret.Email) is not { } user) return Fail("Scheduler user not provisioned");
        return user.Active ? new Authentication(Caller.Of(snapshot, user, CallerKind.Service), null) : Fail("Account deactivated");
    }

    private Authentication Resolve(string token, bool fromHeader, Snapshot snapshot)
    {
        if (Claims(token) is not { } remembered) return Fail("Invalid or expired token");
        var claims = remembered.Claims;
        var now = time.GetUtcNow();
        var seconds = now.ToUnixTimeSeconds();
        if (claims.ExpiresAt <= seconds || claims.IssuedAt > seconds) return Fail("Invalid or expired token");
        var isPersonal = claims.Type == SessionTokens.PersonalType;
        if (claims.Type is not (SessionTokens.PersonalType or SessionTokens.SessionType)) return Fail("Invalid or expired token");
        if (isPersonal && !fromHeader) return Fail("Invalid or expired token");
        if (!isPersonal && claims.ExpiresAt is null) return Fail("Invalid or expired token");
        if (snapshot.User(claims.Subject) is not { } user) return Fail("User not found");
        if (!user.Active) return Fail("Account deactivated");
        if (isPersonal)
        {
            if (PersonalFailure(snapshot, claims, now.UtcDateTime) is { } failure) return Fail(failure);
        }
        else if (user.SessionsValidAfter is { } after && claims.IssuedAtTime < after)
        {
            return Fail("Invalid or expired token");
        }
        else if (snapshot.EndedSessions.ContainsKey(claims.Id) || !known.IsGood(claims, now.UtcDateTime))
        {
            return Fail("Invalid or expired token");
        }

        return new Authentication(remembered.CallerAt(snapshot, user), null);
    }

    private static string? PersonalFailure(Snapshot snapshot, TokenClaims claims, DateTime now)
    {
        if (snapshot.Token(claims.Id) is not { } row || row.UserId != claims.Subject) return "Token unknown";
        if (row.RevokedAt is not null) return "Token revoked";
        if (row.ExpiresAt <= now) return "Token expired";
        return row.TokenHash.Length > 0 && row.TokenHash != claims.Sha256 ? "Token mismatch" : null;
    }

    private Remembered? Claims(string token)
    {
        var digest = Digest.Of(token);
        if (_remembered.TryGet(digest, out var remembered)) return remembered;
        if (Jwt.Verify(key.Bytes, token) is not { } claims) return null;
        remembered = new Remembered(claims);
        _remembered.Set(digest, remembered);
        return remembered;
    }

    /// <summary>
    /// A use from an address that the token was not used from before is worth an audit entry: it may be stolen. One entry for each address, so that a laptop that
    /// goes back and forth between two networks does not fill the log.
    /// </summary>
    private void NoteUse(Caller caller, string tokenId, string? address)
    {
        var previous = state.TokenUsed(tokenId, address)?.Ip;
        if (address is null || _addresses.TryGet((tokenId, address), out _)) return;
        _addresses.Set((tokenId, address), Seen);
        if (previous is null || previous == address) return;
        _addresses.Set((tokenId, previous), Seen);
        _ = AuditNewAddressAsync(caller.UserId, tokenId, address, previous);
    }

    /// <summary>Best effort by the specification: a request never fails for it, so its own failure ends in the log.</summary>
    private async Task AuditNewAddressAsync(string userId, string tokenId, string address, string before)
    {
        try
        {
            await audit.AppendAsync(userId, "token.first_use_new_ip", $"token:{tokenId}", new JsonObject { ["ip"] = address, ["previous_ip"] = before });
        }
        catch (Exception failure)
        {
            LogNotAudited(log, tokenId, failure);
        }
    }

    private static Authentication Fail(string failure) => new(null, failure);

    [LoggerMessage(EventId = 5301, Level = LogLevel.Error, Message = "The use of token {TokenId} from a new address could not be audited.")]
    private static partial void LogNotAudited(ILogger log, string tokenId, Exception failure);

    /// <summary>A token's SHA-256 as a key: the token itself is not kept in memory.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Auto)]
    private readonly record struct Digest(UInt128 High, UInt128 Low)
    {
        private const int StackBytesMax = 1024;

        public static Digest Of(string token)
        {
            var length = Encoding.UTF8.GetMaxByteCount(token.Length);
            Span<byte> text = length <= StackBytesMax ? stackalloc byte[StackBytesMax] : new byte[length];
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(text[..Encoding.UTF8.GetBytes(token, text)], hash);
            return new Digest(
                System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash),
                System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash[16..]));
        }
    }

    /// <summary>A verified token with the caller that it last resolved to.</summary>
    private sealed class Remembered(TokenClaims claims)
    {
        private At? _last;

        public TokenClaims Claims { get; } = claims;

        public Caller CallerAt(Snapshot snapshot, UserRow user)
        {
            if (!snapshot.IsUncommitted && _last is { } last && last.Version == snapshot.Version) return last.Caller;
            var isPersonal = Claims.Type == SessionTokens.PersonalType;
            var caller = Caller.Of(snapshot, user, isPersonal ? CallerKind.Token : CallerKind.Session, isPersonal ? Claims.Id : null) with
            {
                SessionId = isPersonal ? null : Claims.Id,
                Scope = isPersonal ? snapshot.Token(Claims.Id)?.Scopes ?? TokenScope.General : TokenScope.General,
            };
            if (!snapshot.IsUncommitted) _last = new At(snapshot.Version, caller);
            return caller;
        }

        private sealed record At(long Version, Caller Caller);
    }
}
