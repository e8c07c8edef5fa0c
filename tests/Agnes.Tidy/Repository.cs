namespace Agnes.Tidy;

/// <summary>The sources as text, found from the test's own folder upwards.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static IEnumerable<SourceFile> Sources(string folder, params string[] extensions) =>
        from path in Directory.EnumerateFiles(Path.Combine(Root, folder), "*", SearchOption.AllDirectories)
        where extensions.Contains(Path.GetExtension(path), StringComparer.Ordinal)
        let relative = Path.GetRelativePath(Root, path).Replace('\\', '/')
        where !relative.Contains("/node_modules/", StringComparison.Ordinal) && !relative.Contains("/wwwroot/dist/", StringComparison.Ordinal)
        orderby relative
        select new SourceFile(relative, File.ReadAllLines(path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Agnes.slnx"))) return folder.FullName;
        }

        throw new InvalidOperationException("Agnes.slnx was not found above the test's folder.");
    }
}

internal sealed record SourceFile(string Path, string[] Lines);
