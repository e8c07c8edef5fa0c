using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Distribution;

/// <summary>An archive of the command line for one platform.</summary>
internal sealed record CliPackage(string Rid, string Version, string FileName, string Sha256, long Size, string Path);

/// <summary>
/// The archives that lie in <c>AGNES_CLI_DIST_DIR</c>, named <c>agnes-VERSION-RID.tar.gz</c> or <c>.zip</c>. What callers ask for is looked up among what was found there;
/// no name of theirs ever becomes a path.
/// </summary>
internal sealed partial class CliPackages(ServerOptions options, TimeProvider time)
{
    private const int FilesMax = 200;
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<(string Path, long Size, DateTime Modified), string> _hashes = new();
    private readonly Lock _gate = new();
    private IReadOnlyList<CliPackage> _found = [];
    private long _lookedAt = long.MinValue;

    /// <summary>Of each platform the newest version.</summary>
    public IReadOnlyList<CliPackage> Current()
    {
        lock (_gate)
        {
            if (_lookedAt != long.MinValue && time.GetElapsedTime(_lookedAt) < LookEvery) return _found;
            _lookedAt = time.GetTimestamp();
            return _found = Look();
        }
    }

    public CliPackage? Find(string fileName) => Current().FirstOrDefault(package => package.FileName == fileName);

    public CliPackage? ForPlatform(string rid) => Current().FirstOrDefault(package => package.Rid == rid);

    private List<CliPackage> Look()
    {
        var folder = new DirectoryInfo(options.CliDistDir);
        if (!folder.Exists) return [];
        var found = new List<CliPackage>();
        foreach (var file in folder.EnumerateFiles("agnes-*").Take(FilesMax))
        {
            if (Name().Match(file.Name) is not { Success: true } match || !Version.TryParse(match.Groups["version"].Value, out _)) continue;
            found.Add(new CliPackage(match.Groups["rid"].Value, match.Groups["version"].Value, file.Name, Hash(file), file.Length, file.FullName));
        }
        return [.. found.GroupBy(package => package.Rid, StringComparer.Ordinal).Select(group => group.MaxBy(package => Version.Parse(package.Version))!).OrderBy(package => package.Rid, StringComparer.Ordinal)];
    }

    /// <summary>Read once for each state of the file.</summary>
    private string Hash(FileInfo file)
    {
        var key = (file.FullName, file.Length, file.LastWriteTimeUtc);
        if (_hashes.TryGetValue(key, out var known)) return known;
        if (_hashes.Count > FilesMax) _hashes.Clear();
        using var stream = file.OpenRead();
        return _hashes[key] = Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    [GeneratedRegex(@"\Aagnes-(?<version>[0-9]+\.[0-9]+\.[0-9]+)-(?<rid>linux-x64|linux-arm64|osx-x64|osx-arm64|win-x64)\.(tar\.gz|zip)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Name();
}
