namespace Agnes.Engine.Limits;

/// <summary>A path that someone sent leads out of its root, or through a symbolic link.</summary>
public sealed class UnsafePathException(string message) : Exception(message);

/// <summary>Resolves relative paths that came from outside; what it returns lies below the root, reached through no symbolic link.</summary>
public static class SafePath
{
    private const int PathCharactersMax = 1024;
    private const int MatchesMax = 100_000;

    /// <summary>The full path of <paramref name="relative"/>, which need not exist.</summary>
    /// <exception cref="UnsafePathException">Absolute, with <c>..</c>, NUL or a symbolic link, or too long.</exception>
    public static string Resolve(string root, string relative)
    {
        var steps = Split(relative);
        var path = Path.GetFullPath(root);
        foreach (var step in steps)
        {
            path = Path.Combine(path, step);
            RefuseLink(path, relative);
        }
        return path;
    }

    /// <summary>The files that a relative file, folder or glob names, sorted by their relative path. <c>*</c> and <c>?</c> match within a step, <c>**</c> any number of steps.</summary>
    /// <returns>Relative paths with <c>/</c>. Empty when nothing matches. Names that start with a dot are taken only when the pattern says so.</returns>
    public static IReadOnlyList<string> Match(string root, string pattern)
    {
        var steps = Split(pattern);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        Walk(Path.GetFullPath(root), "", steps, 0, pattern, found);
        return [.. found];
    }

    public static bool IsPattern(string text) => text.AsSpan().IndexOfAny('*', '?') >= 0;

    private static string[] Split(string relative)
    {
        if (relative.Length > PathCharactersMax) throw new UnsafePathException($"The path is longer than {PathCharactersMax} characters.");
        if (relative.Contains('\0')) throw new UnsafePathException("The path holds a NUL.");
        if (relative.Contains('\\')) throw new UnsafePathException($"Use / in paths: {relative}");
        if (Path.IsPathRooted(relative) || relative.Contains(':')) throw new UnsafePathException($"The path must be relative: {relative}");
        var steps = relative.Split('/', StringSplitOptions.RemoveEmptyEntries).Where(step => step != ".").ToArray();
        if (steps.Contains("..")) throw new UnsafePathException($"The path must not hold '..': {relative}");
        return steps;
    }

    private static void Walk(string folder, string prefix, string[] steps, int index, string pattern, SortedSet<string> found)
    {
        if (index == steps.Length || !Directory.Exists(folder)) return;
        var step = steps[index];
        var last = index == steps.Length - 1;
        if (step == "**")
        {
            Walk(folder, prefix, steps, index + 1, pattern, found);
            if (last) AddFiles(folder, prefix, "*", found);
            foreach (var child in Children(folder, "*")) Walk(Path.Combine(folder, child), $"{prefix}{child}/", steps, index, pattern, found);
        }
        else if (last)
        {
            if (IsPattern(step)) AddFiles(folder, prefix, step, found);
            else AddNamed(folder, prefix, step, pattern, found);
        }
        else if (IsPattern(step))
        {
            foreach (var child in Children(folder, step)) Walk(Path.Combine(folder, child), $"{prefix}{child}/", steps, index + 1, pattern, found);
        }
        else
        {
            var child = Path.Combine(folder, step);
            RefuseLink(child, pattern);
            Walk(child, $"{prefix}{step}/", steps, index + 1, pattern, found);
        }
    }

    private static void AddNamed(string folder, string prefix, string name, string pattern, SortedSet<string> found)
    {
        var path = Path.Combine(folder, name);
        RefuseLink(path, pattern);
        if (File.Exists(path)) found.Add(prefix + name);
    }

    private static void AddFiles(string folder, string prefix, string step, SortedSet<string> found)
    {
        foreach (var file in new DirectoryInfo(folder).EnumerateFiles().Where(file => file.LinkTarget is null && Fits(file.Name, step)))
        {
            found.Add(prefix + file.Name);
            if (found.Count > MatchesMax) throw new UnsafePathException($"More than {MatchesMax} files match.");
        }
    }

    private static IEnumerable<string> Children(string folder, string step) =>
        new DirectoryInfo(folder).EnumerateDirectories().Where(child => child.LinkTarget is null && Fits(child.Name, step)).Select(child => child.Name);

    private static bool Fits(string name, string step) =>
        (name[0] != '.' || step[0] == '.') && System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(step, name, ignoreCase: false);

    private static void RefuseLink(string path, string relative)
    {
        if (new FileInfo(path).LinkTarget is not null) throw new UnsafePathException($"The path leads through a symbolic link: {relative}");
    }
}
