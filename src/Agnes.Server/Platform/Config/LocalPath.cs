namespace Agnes.Server.Platform.Config;

/// <summary>Which addresses a sign-in may send a browser on to: paths of this server, nothing that a browser could read as another host.</summary>
public static class LocalPath
{
    private const int CharsMax = 2048;

    /// <summary>The path when it is safe, else null.</summary>
    public static string? Accept(string? path) => IsSafe(path) ? path : null;

    private static bool IsSafe(string? path)
    {
        if (path is not { Length: > 0 and <= CharsMax } || path[0] != '/') return false;
        if (path.Length > 1 && path[1] is '/' or '\\') return false;
        foreach (var character in path)
        {
            // Browsers take a backslash for a slash and drop tabs and line ends before they look.
            if (character is '\\' || char.IsControl(character)) return false;
        }

        return true;
    }
}
