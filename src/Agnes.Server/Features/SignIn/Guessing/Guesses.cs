using System.Buffers.Binary;
using System.Net;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Features.SignIn.Sessions;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Features.SignIn.Guessing;

/// <summary>What became of one password that was tried.</summary>
/// <param name="Wrong">How many were wrong since the last right one, this one counted.</param>
/// <param name="Wait">Nothing was tried: not before so long.</param>
internal sealed record GuessOutcome(bool IsRight, int Wrong, TimeSpan Wait)
{
    public bool IsRefused => Wait > TimeSpan.Zero;
}

/// <summary>
/// Slows guessing at an account down, from wherever it comes: after five wrong passwords each further try has to wait, twice as long as the one before, up to a quarter of an hour. Counted in
/// state, so that neither a restart nor another replica begins anew. Who guesses from elsewhere does not hold up the owner at a network that the account was used from lately; sessions, tokens
/// and other ways to sign in are never held up.
/// </summary>
internal sealed class Guesses(StateDb state, SigningKey key, ServerOptions options, TimeProvider time) : IDisposable
{
    public const int FreeMax = 5;
    private const int DoublingsMax = 8;
    private const int TurnsMax = 64;

    /// <summary>Addresses of no account share so many counters: the table stays bounded whatever is tried, and they are answered like accounts.</summary>
    private const int StrangersMax = 1 << 16;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan DelayMax = TimeSpan.FromMinutes(15);

    /// <summary>Longer than any wait.</summary>
    public static readonly TimeSpan RememberedFor = TimeSpan.FromDays(1);
    private static readonly TimeSpan ClockStepMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan TurnWaitMax = TimeSpan.FromSeconds(10);

    /// <summary>One try at an account at a time, or a hundred at once would all see the count of before. Accounts share the turns.</summary>
    private readonly SemaphoreSlim[] _turns = [.. Enumerable.Range(0, TurnsMax).Select(_ => new SemaphoreSlim(1, 1))];

    /// <param name="email">As it was sent.</param>
    /// <param name="user">Whose it is; null: nobody's.</param>
    /// <param name="isRight">Checks the password.</param>
    public async Task<GuessOutcome> TryAsync(HttpContext context, string email, UserRow? user, Func<Task<bool>> isRight)
    {
        if (!options.RateLimits) return new GuessOutcome(await isRight(), 0, TimeSpan.Zero);
        var stop = context.RequestAborted;
        var hash = Hash(email);
        var account = user is null ? $"?{BinaryPrimitives.ReadUInt32BigEndian(hash) % StrangersMax:x}" : Name(hash);
        var turn = _turns[hash[^1] % TurnsMax];
        if (!await turn.WaitAsync(TurnWaitMax, stop)) return new GuessOutcome(false, 0, TimeSpan.FromSeconds(1));
        try
        {
            var network = await NetworkAsync(context, user, stop);
            var row = await GuessStore.FindAsync(state, account, network, stop);
            if (row is not null && Wait(row, time.Micros()) is { Ticks: > 0 } wait) return new GuessOutcome(false, row.Wrong, wait);
            if (!await isRight()) return new GuessOutcome(false, await CountAsync(account, network), TimeSpan.Zero);
            if (row is not null) await state.WriteAsync(write => GuessStore.ForgetAsync(write, account, network), stop);
            return new GuessOutcome(true, row?.Wrong ?? 0, TimeSpan.Zero);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>With a new password the old count says nothing any more.</summary>
    public Task ForgetAsync(StateWrite write, string email) => GuessStore.ForgetAsync(write, Name(Hash(email)));

    public void Dispose()
    {
        foreach (var turn in _turns) turn.Dispose();
    }

    /// <summary>Whether the owner is to hear of so many: of five, then each time that it is twice as many.</summary>
    public static bool IsWorthTelling(int wrong) => wrong >= FreeMax && wrong % FreeMax == 0 && BitOperations.IsPow2(wrong / FreeMax);

    /// <summary>How long the next try has to wait after so many wrong ones.</summary>
    internal static TimeSpan Delay(int wrong)
    {
        if (wrong < FreeMax) return TimeSpan.Zero;
        var delay = FirstDelay * (1 << Math.Min(wrong - FreeMax, DoublingsMax));
        return delay < DelayMax ? delay : DelayMax;
    }

    /// <summary>A clock that was set back must not make anybody wait for the time to come round again.</summary>
    private static TimeSpan Wait(GuessRow row, DateTime now)
    {
        var since = now - row.LastAt;
        return since > RememberedFor || since < -ClockStepMax ? TimeSpan.Zero : Delay(row.Wrong) - since;
    }

    /// <summary>Counted also when whoever asked hung up: hanging up must not make guesses free.</summary>
    private Task<int> CountAsync(string account, string network) =>
        state.WriteAsync(write => GuessStore.CountAsync(write, account, network, write.Now - RememberedFor), CancellationToken.None);

    /// <summary>The caller's network where the account had a session lately, else nothing. Looked up for strangers too, so that it takes as long.</summary>
    private async Task<string> NetworkAsync(HttpContext context, UserRow? user, CancellationToken stop)
    {
        var network = RateLimits.Network(context.Client().Address);
        var addresses = await SessionStore.AddressesAsync(state, user?.Id ?? "", stop);
        return addresses.Any(address => IPAddress.TryParse(address, out var known) && RateLimits.Network(known) == network) ? network : "";
    }

    private byte[] Hash(string email) => HMACSHA256.HashData(key.Bytes, Encoding.UTF8.GetBytes($"guess\n{email.Trim().ToLowerInvariant()}"));

    private static string Name(byte[] hash) => Convert.ToHexStringLower(hash);
}
