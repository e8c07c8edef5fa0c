using System.Diagnostics.CodeAnalysis;
using Agnes.Server.Platform.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Agnes.Server.Platform.Access;

internal enum PasswordMatch
{
    No,
    Yes,

    /// <summary>Right, and its hash is cheaper to guess at than those that are made today.</summary>
    YesByAnOldHash,
}

/// <summary>Hashes and checks passwords: PBKDF2-HMAC-SHA512 in the framework's self-describing form, two at once at most. Imported Argon2id hashes are checked too, and never made.</summary>
internal sealed class Passwords : IDisposable
{
    public const int CharsMin = 8;
    public const int CharsMax = 1024;

    /// <summary>What is recommended today for this function; a sign-in takes about a tenth of a second.</summary>
    public const int IterationsDefault = 210_000;
    private const int AtOnceMax = 2;
    private const int WaitingMax = 64;

    private readonly PasswordHasher<object> _hasher;
    private readonly SemaphoreSlim _slots = new(AtOnceMax, AtOnceMax);
    private readonly Lazy<string> _nobody;
    private int _waiting;
    private TimeSpan _importedTook; // a race loses one measurement

    public Passwords(int iterations = IterationsDefault)
    {
        _hasher = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        _nobody = new Lazy<string>(() => _hasher.HashPassword(this, Guid.NewGuid().ToString()));
    }

    public Task<string> HashAsync(string password, CancellationToken stop) => InSlotAsync(() => _hasher.HashPassword(this, password), stop);

    public async Task<bool> MatchesAsync(string? hash, string password, CancellationToken stop) => await CompareAsync(hash, password, stop) != PasswordMatch.No;

    /// <summary>
    /// Takes as long for an account without a password, or for none at all, as for a wrong one. An imported hash may cost more: from the first that is checked on, whoever is refused
    /// waits as long as it took, so that nobody learns who has one.
    /// </summary>
    public async Task<PasswordMatch> CompareAsync(string? hash, string password, CancellationToken stop)
    {
        if (password.Length > CharsMax) (hash, password) = (null, "");
        var imported = Argon2Hash.Parse(hash);
        var (match, took) = await InSlotAsync(() => Timed(() => imported is null ? Compare(hash, password) : imported.Matches(password) ? PasswordMatch.YesByAnOldHash : PasswordMatch.No), stop);
        if (imported is not null) _importedTook = took > _importedTook ? took : _importedTook;
        else if (match == PasswordMatch.No && _importedTook > took) await Task.Delay(_importedTook - took, TimeProvider.System, stop);
        return match;
    }

    /// <summary>Whether a password could match at all.</summary>
    public static bool IsUsable([NotNullWhen(true)] string? hash) => hash is { Length: > 0 } && (hash[0] != '$' || Argon2Hash.Parse(hash) is not null);

    public void Dispose() => _slots.Dispose();

    private PasswordMatch Compare(string? hash, string password)
    {
        var usable = IsUsable(hash);
        return _hasher.VerifyHashedPassword(this, usable ? hash! : _nobody.Value, password) switch
        {
            PasswordVerificationResult.Success when usable => PasswordMatch.Yes,
            PasswordVerificationResult.SuccessRehashNeeded when usable => PasswordMatch.YesByAnOldHash,
            _ => PasswordMatch.No,
        };
    }

    private static (T Value, TimeSpan Took) Timed<T>(Func<T> work)
    {
        var began = TimeProvider.System.GetTimestamp();
        var value = work();
        return (value, TimeProvider.System.GetElapsedTime(began));
    }

    private async Task<T> InSlotAsync<T>(Func<T> work, CancellationToken stop)
    {
        if (Interlocked.Increment(ref _waiting) > WaitingMax)
        {
            Interlocked.Decrement(ref _waiting);
            throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "Too many sign-ins at once: try again shortly.");
        }

        try
        {
            await _slots.WaitAsync(stop);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }

        try
        {
            return await Task.Run(work, stop);
        }
        finally
        {
            _slots.Release();
        }
    }
}
