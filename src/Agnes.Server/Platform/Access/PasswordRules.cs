using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Platform.Access;

/// <summary>
/// Which new passwords are taken: any characters, at least eight, not what everybody tries first, and not little more than a name that stands around: the product's, the instance's, the
/// person's. An operator may add a list of breached passwords. What is in use already stays good.
/// </summary>
internal sealed class PasswordRules
{
    public const int CharsMin = Passwords.CharsMin;
    public const int CharsMax = Passwords.CharsMax;
    private const int ContextCharsMin = 3;
    private const int OtherLettersMin = 4;
    private const int ListLinesMax = 5_000_000;
    private const long ListBytesMax = 256L << 20;
    private readonly FrozenSet<string> _context;
    private readonly HashSet<ulong> _listed;

    public PasswordRules(ServerOptions options)
    {
        _context = Words(["agnes", options.InstanceName, options.Domain, .. options.SignIn.AllowedDomains]).ToFrozenSet(StringComparer.Ordinal);
        _listed = options.PasswordList is { } path ? Read(path) : [];
    }

    /// <summary>Why a new password is refused, in a sentence for the person; null: it is taken.</summary>
    public string? Fault(string password, string email, string? name)
    {
        if (password.Length < CharsMin) return $"Password must be at least {CharsMin} characters";
        if (password.Length > CharsMax) return $"Password must be at most {CharsMax} characters";
        if (CommonPasswords.Contains(password) || _listed.Contains(Digest(password)) || _listed.Contains(Digest(password.ToLowerInvariant())))
        {
            return "This password is one of those that are tried first: take another one, long rather than complicated";
        }

        return IsLittleMoreThan(password, _context.Concat(Words([email, name]))) ? "The password is little more than a name that others know: take another one, long rather than complicated" : null;
    }

    /// <summary>Without the words, the digits and the signs hardly a letter is left.</summary>
    private static bool IsLittleMoreThan(string password, IEnumerable<string> words)
    {
        var rest = CommonPasswords.Plain(password);
        var before = rest.Length;
        foreach (var word in words.OrderByDescending(word => word.Length)) rest = rest.Replace(word, "", StringComparison.Ordinal);
        return rest.Length < before && rest.Count(char.IsLetter) < OtherLettersMin;
    }

    private static IEnumerable<string> Words(IEnumerable<string?> texts) => texts.OfType<string>()
        .SelectMany(text => text.ToLowerInvariant().Split(['@', '.', '-', '_', ' ', '+'], StringSplitOptions.RemoveEmptyEntries))
        .Where(word => word.Length >= ContextCharsMin)
        .Select(CommonPasswords.Plain);

    /// <exception cref="OptionsException">It cannot be read: better not to start than to take what the operator wanted refused.</exception>
    private static HashSet<ulong> Read(string path)
    {
        try
        {
            if (new FileInfo(path).Length > ListBytesMax) throw new OptionsException($"AGNES_PASSWORD_BLOCKLIST: {path} is larger than {ListBytesMax >> 20} MiB.");
            var listed = new HashSet<ulong>();
            foreach (var line in File.ReadLines(path))
            {
                if (line.Length >= CharsMin && listed.Count < ListLinesMax) listed.Add(Digest(line));
            }

            return listed;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException($"AGNES_PASSWORD_BLOCKLIST: {path} cannot be read: {fault.Message}");
        }
    }

    /// <summary>Eight bytes suffice: one other password in a million millions is refused by mistake.</summary>
    private static ulong Digest(string password) => BitConverter.ToUInt64(SHA256.HashData(Encoding.UTF8.GetBytes(password)));
}
