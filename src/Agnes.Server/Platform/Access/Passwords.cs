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

/// <summary>Hashes and checks passwords: PBKDF2-HMAC-SHA512 in the framework's self-describing form, two at once at most.</summary>
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

    public Passwords(int iterations = IterationsDefault)
    {
        _hasher = new PasswordHasher<object>(Options.Create(new PasswordHasherOptions { IterationCount = iterations }));
        _nobody = new Lazy<string>(() => _hasher.HashPassword(this, Guid.NewGuid().ToString()));
    }

    public Task<string> HashAsync(string password, CancellationToken stop) => InSlotAsync(() => _hasher.HashPassword(this, password), stop);

    public async Task<bool> MatchesAsync(string? hash, string password, CancellationToken stop) => await CompareAsync(hash, password, stop) != PasswordMatch.No;

    /// <summary>Takes as long for an account without a password, or for none at all, as for a wrong one.</summary>
    public Task<PasswordMatch> CompareAsync(string? hash, string password, CancellationToken stop)
    {
        // An imported Argon2 hash is kept but never matches: its owner sets a new password by link.
        var usable = IsUsable(hash) && password.Length <= CharsMax;
        return InSlotAsync(
            () => _hasher.VerifyHashedPassword(this, usable ? hash! : _nobody.Value, password.Length <= CharsMax ? password : "") switch
            {
                PasswordVerificationResult.Success when usable => PasswordMatch.Yes,
                PasswordVerificationResult.SuccessRehashNeeded when usable => PasswordMatch.YesByAnOldHash,
                _ => PasswordMatch.No,
            },
            stop);
    }

    /// <summary>Whether a password could match at all.</summary>
    public static bool IsUsable([NotNullWhen(true)] string? hash) => hash is { Length: > 0 } && hash[0] != '$';

    public void Dispose() => _slots.Dispose();

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
