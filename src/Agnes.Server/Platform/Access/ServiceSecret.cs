using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>The secret that the scheduler shares with the server (<c>SCHEDULER_API_TOKEN</c>). It stands for an account of its own, which an operator can deactivate.</summary>
internal sealed class ServiceSecret(ServerOptions options)
{
    public const string Email = "scheduler@system.local";
    public const int CharsMin = 32;
    private readonly byte[]? _hash = options.SchedulerToken is { Length: >= CharsMin } secret ? Hash(secret) : null;

    public bool IsOn => _hash is not null;

    /// <summary>There is one, but it could be guessed: it is not accepted.</summary>
    public bool IsTooShort => options.SchedulerToken is { Length: > 0 and < CharsMin };

    /// <summary>In a time that tells nothing about the secret.</summary>
    public bool Is(string token) => _hash is not null && CryptographicOperations.FixedTimeEquals(_hash, Hash(token));

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
