using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Konscious.Security.Cryptography;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// An Argon2id hash as other programs store it: <c>$argon2id$v=19$m=KiB,t=passes,p=lanes$salt$hash</c>. Who wrote it chose what a check costs, so one that would cost more than a
/// sign-in may is none.
/// </summary>
internal sealed partial record Argon2Hash
{
    /// <summary>Twice what is usual; as much again for each check that runs at once.</summary>
    private const int KibibytesMax = 128 << 10;
    private const int PassesMax = 10;
    private const int LanesMax = 16;
    private const int KibibytesOfLaneMin = 8;
    private const int SaltBytesMin = 8;
    private const int HashBytesMin = 16;
    private const int BytesMax = 64;
    private const int CharsMax = 256;

    private readonly int _kibibytes;
    private readonly int _passes;
    private readonly int _lanes;
    private readonly byte[] _salt;
    private readonly byte[] _hash;

    private Argon2Hash(int kibibytes, int passes, int lanes, byte[] salt, byte[] hash) => (_kibibytes, _passes, _lanes, _salt, _hash) = (kibibytes, passes, lanes, salt, hash);

    /// <returns>Null where it is something else, or costs too much.</returns>
    public static Argon2Hash? Parse(string? text)
    {
        if (text is not { Length: <= CharsMax } || Form().Match(text) is not { Success: true } match) return null;
        int Number(string name) => int.Parse(match.Groups[name].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);
        var (kibibytes, passes, lanes) = (Number("kibibytes"), Number("passes"), Number("lanes"));
        if (passes is < 1 or > PassesMax || lanes is < 1 or > LanesMax || kibibytes < KibibytesOfLaneMin * lanes || kibibytes > KibibytesMax) return null;
        return Bytes(match.Groups["salt"].Value) is { Length: >= SaltBytesMin } salt && Bytes(match.Groups["hash"].Value) is { Length: >= HashBytesMin } hash
            ? new Argon2Hash(kibibytes, passes, lanes, salt, hash)
            : null;
    }

    /// <summary>No password matches if it is empty, which takes as long to find out as with any other.</summary>
    public bool Matches(string password)
    {
        using var argon2 = new Argon2id(Encoding.UTF8.GetBytes(password.Length == 0 ? " " : password)) { Salt = _salt, MemorySize = _kibibytes, Iterations = _passes, DegreeOfParallelism = _lanes };
        return CryptographicOperations.FixedTimeEquals(argon2.GetBytes(_hash.Length), _hash) && password.Length > 0;
    }

    /// <summary>Base64 without its padding.</summary>
    private static byte[]? Bytes(string text)
    {
        var bytes = new byte[BytesMax];
        return Convert.TryFromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='), bytes, out var count) ? bytes[..count] : null;
    }

    [GeneratedRegex(@"\A\$argon2id\$v=19\$m=(?<kibibytes>[0-9]{1,9}),t=(?<passes>[0-9]{1,9}),p=(?<lanes>[0-9]{1,9})\$(?<salt>[A-Za-z0-9+/]+)\$(?<hash>[A-Za-z0-9+/]+)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
