namespace Agnes.Protocol;

/// <summary>Where a folder really is, and what lies in it.</summary>
public static class RealFolder
{
    private const int LinksMax = 40;
    public static readonly StringComparison Names = OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase;

    /// <summary>The path with every link on it resolved. What does not exist is kept as it is written.</summary>
    /// <exception cref="DirectoryNotFoundException">Links that lead in a circle.</exception>
    public static string Of(string path)
    {
        var links = 0;
        var full = Path.GetFullPath(path);
        var root = Path.GetPathRoot(full)!;
        var real = root;
        var left = new Stack<string>(full[root.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse());
        while (left.TryPop(out var name))
        {
            var next = Path.Combine(real, name);
            if (new DirectoryInfo(next).LinkTarget is not { } target)
            {
                real = next;
                continue;
            }

            if (++links > LinksMax) throw new DirectoryNotFoundException($"{path} leads in a circle of links.");
            var resolved = Path.GetFullPath(target, real);
            real = Path.GetPathRoot(resolved)!;
            foreach (var segment in resolved[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries).Reverse()) left.Push(segment);
        }

        return real;
    }

    /// <summary>Whether a real path is the folder or lies in it.</summary>
    public static bool IsBelow(string path, string folder) =>
        path.Equals(folder, Names) || path.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, Names);
}
