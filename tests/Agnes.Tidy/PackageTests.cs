using System.Text.Json;

namespace Agnes.Tidy;

public sealed class PackageTests
{
    /// <summary>npm leaves an optional package that it cannot find out of the lock without a word.</summary>
    [Fact]
    public void The_lock_file_has_the_engine_for_five_platforms_with_integrity_and_no_addresses()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "package-lock.json")));
        var packages = document.RootElement.GetProperty("packages").EnumerateObject().ToList();
        packages.Count(package => package.Name.StartsWith("node_modules/@duckdb/node-bindings-", StringComparison.Ordinal)).ShouldBe(5);
        foreach (var package in packages.Where(package => package.Name.Length > 0))
        {
            package.Value.TryGetProperty("resolved", out _).ShouldBeFalse(package.Name);
            package.Value.TryGetProperty("integrity", out _).ShouldBeTrue(package.Name);
        }
    }

    [Fact]
    public void Every_package_version_is_stated_once_in_one_file()
    {
        var strays =
            from project in Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            where !project.Contains("/artifacts/", StringComparison.Ordinal) && !project.Contains("/node_modules/", StringComparison.Ordinal)
            from line in File.ReadAllLines(project)
            where line.Contains("<PackageReference", StringComparison.Ordinal) && line.Contains("Version=", StringComparison.Ordinal)
            select $"{project}: {line.Trim()}";
        strays.ShouldBeEmpty();
    }
}
