using System.Text.RegularExpressions;

namespace Agnes.Server.Platform.Identity;

/// <summary>A shape check only: whether mail arrives there, only mail can tell.</summary>
internal static partial class EmailAddress
{
    private const int CharsMax = 254;

    public static bool IsValid(string email) => email.Length <= CharsMax && Shape().IsMatch(email);

    [GeneratedRegex(@"\A[^\s@\p{C}""(),:;<>\[\]\\]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Shape();
}
