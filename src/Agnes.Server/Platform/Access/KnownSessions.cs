using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Access;

/// <summary>What decides of a row of <c>sessions</c>.</summary>
internal sealed record KnownSession
{
    public required string Id { get; init; }
    public required string UserId { get; init; }
    public DateTime CreatedAt { get; init; }
    public DateTime ExpiresAt { get; init; }
    public DateTime? EndedAt { get; init; }

    /// <summary>Null for one that a server of before began.</summary>
    public string? TokenHash { get; init; }
}

/// <summary>
/// The sessions that are in the table: no other is one, whoever signed its token. Remembered from request to request, and looked up again now and then; that one was ended
/// before is in the snapshot, at once.
/// </summary>
internal sealed partial class KnownSessions(StateDb state, ServerOptions options, TimeProvider time, ILogger<KnownSessions> log)
{
    private const int RememberedMax = 10_000;
    private const string FindSql = "SELECT id, user_id, created_at, expires_at, ended_at, token_hash FROM sessions WHERE id = @id";
    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromMinutes(1);
    private readonly RecentCache<string, Remembered> _remembered = new(RememberedMax);

    /// <summary>As the table keeps it.</summary>
    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    /// <summary>One that this process has just written.</summary>
    public void Begun(KnownSession session) => _remembered.Set(session.Id, new Remembered(session, time.GetUtcNow()));

    /// <summary>Makes sure that <see cref="IsGood"/> has a fresh answer.</summary>
    /// <returns>False when the state does not answer and nothing is known of the session.</returns>
    public ValueTask<bool> LookUpAsync(string id, CancellationToken stop)
    {
        var found = _remembered.TryGet(id, out var last);
        return found && time.GetUtcNow() - last!.At < LookAgainAfter ? ValueTask.FromResult(true) : new ValueTask<bool>(ReadAsync(id, found, stop));
    }

    /// <summary>Its age counts from its row and by today's limits, whatever end the token claims.</summary>
    public bool IsGood(TokenClaims claims, DateTime now) =>
        _remembered.TryGet(claims.Id, out var last) && last.Session is { EndedAt: null } row && row.UserId == claims.Subject
        && (row.TokenHash is null || row.TokenHash == claims.Sha256)
        && now < row.ExpiresAt && now < row.CreatedAt + options.SignIn.SessionLifetime && now < claims.IssuedAtTime + options.SignIn.SessionLifetime;

    private async Task<bool> ReadAsync(string id, bool isKnown, CancellationToken stop)
    {
        try
        {
            var rows = await state.ReadAsync<KnownSession>(FindSql, new { id }, stop);
            _remembered.Set(id, new Remembered(rows.Count > 0 ? rows[0] : null, time.GetUtcNow()));
            return true;
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            LogNotRead(log, failure);
            return isKnown;
        }
    }

    [LoggerMessage(EventId = 5305, Level = LogLevel.Error, Message = "Whether a session is in the table could not be read.")]
    private static partial void LogNotRead(ILogger log, Exception failure);

    /// <param name="Session">Null: it is not in the table.</param>
    private sealed record Remembered(KnownSession? Session, DateTimeOffset At);
}
