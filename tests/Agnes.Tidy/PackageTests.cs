using System.Text.Json;
using System.Text.RegularExpressions;

namespace Agnes.Tidy;

public sealed partial class PackageTests
{
    [Fact]
    public void The_lock_file_has_integrity_for_every_package_and_no_addresses()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, "package-lock.json")));
        var packages = document.RootElement.GetProperty("packages").EnumerateObject().ToList();
        packages.Count.ShouldBeGreaterThan(1);
        foreach (var package in packages.Where(package => package.Name.Length > 0))
        {
            package.Value.TryGetProperty("resolved", out _).ShouldBeFalse(package.Name);
            package.Value.TryGetProperty("integrity", out _).ShouldBeTrue(package.Name);
        }
    }

    [Fact]
    public void Every_package_that_has_a_version_is_used()
    {
        var projects = string.Concat(Projects().Select(File.ReadAllText));
        var pins = ((string[])["FSharp.Core"]).ToHashSet(StringComparer.Ordinal); // another package asks for it in a version that feeds may lack
        var unused =
            from line in File.ReadAllLines(Path.Combine(Repository.Root, "Directory.Packages.props"))
            let name = PackageVersion().Match(line).Groups["name"].Value
            where name.Length > 0 && !pins.Contains(name) && !projects.Contains($"<PackageReference Include=\"{name}\"", StringComparison.Ordinal)
            select name;
        unused.ShouldBeEmpty("remove the version, or the reason to pin it belongs here");
    }

    [Fact]
    public void Every_package_version_is_stated_once_in_one_file()
    {
        var strays =
            from project in Projects()
            from line in File.ReadAllLines(project)
            where line.Contains("<PackageReference", StringComparison.Ordinal) && line.Contains("Version=", StringComparison.Ordinal)
            select $"{project}: {line.Trim()}";
        strays.ShouldBeEmpty();
    }

    private static IEnumerable<string> Projects() =>
        ((string[])["*.csproj", "Directory.Build.props"]).SelectMany(pattern => Directory.EnumerateFiles(Repository.Root, pattern, SearchOption.AllDirectories))
        .Where(project => !project.Contains("/artifacts/", StringComparison.Ordinal) && !project.Contains("/node_modules/", StringComparison.Ordinal));

    [GeneratedRegex("<PackageVersion Include=\"(?<name>[^\"]+)\"", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex PackageVersion();
}
