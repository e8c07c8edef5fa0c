using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Agnes.Protocol;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Distribution;

/// <summary>An archive of the command line for one platform.</summary>
/// <param name="Signature">Of its version, platform and content, by <paramref name="Key"/>: its publisher's where that signed it, else this server's own.</param>
/// <param name="IsOwn">This server signed it.</param>
internal sealed record CliPackage(string Rid, string Version, string FileName, string Sha256, long Size, string Path, string Signature = "", string Key = "", bool IsOwn = false);

/// <summary>
/// The archives that lie in <c>AGNES_CLI_DIST_DIR</c>, named <c>agnes-VERSION-RID.tar.gz</c> or <c>.zip</c>. What callers ask for is looked up among what was found there;
/// no name of theirs ever becomes a path. Beside an archive may lie its publisher's signature (<c>.sig</c>); an archive that does not fit its own is not offered.
/// </summary>
internal sealed partial class CliPackages(ServerOptions options, ReleaseKey key, TimeProvider time, ILogger<CliPackages> log)
{
    private const int FilesMax = 400;
    private const long SignatureBytesMax = 4096;
    private const string SignatureSuffix = ".sig";
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<(string Path, long Size, DateTime Modified), string> _hashes = new();
    private readonly ConcurrentDictionary<(string FileName, string Sha256), string> _signatures = new();
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
            if (Signed(new CliPackage(match.Groups["rid"].Value, match.Groups["version"].Value, file.Name, Hash(file), file.Length, file.FullName)) is { } package) found.Add(package);
        }
        return [.. found.GroupBy(package => package.Rid, StringComparer.Ordinal).Select(group => group.MaxBy(package => Version.Parse(package.Version))!).OrderBy(package => package.Rid, StringComparer.Ordinal)];
    }

    /// <summary>Read once for each state of the file.</summary>
    private string Hash(FileInfo file)
    {
        var state = (file.FullName, file.Length, file.LastWriteTimeUtc);
        if (_hashes.TryGetValue(state, out var known)) return known;
        if (_hashes.Count > FilesMax) _hashes.Clear();
        using var stream = file.OpenRead();
        return _hashes[state] = Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private CliPackage? Signed(CliPackage package)
    {
        var statement = ReleaseSignature.Statement(package.Version, package.Rid, package.Sha256, package.Size);
        var beside = new FileInfo(package.Path + SignatureSuffix);
        if (!beside.Exists)
        {
            if (_signatures.Count > FilesMax) _signatures.Clear();
            return package with { Signature = _signatures.GetOrAdd((package.FileName, package.Sha256), _ => key.Sign(statement)), Key = key.Public, IsOwn = true };
        }

        if (Read(beside) is { } given && ReleaseSignature.Fits(given.Key, given.Signature, statement)) return package with { Signature = given.Signature!, Key = given.Key! };
        LogForeign(log, package.FileName, beside.Name);
        return null;
    }

    private static ArchiveSignature? Read(FileInfo file)
    {
        if (file.Length > SignatureBytesMax) return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file.FullName), DistributionJson.Default.ArchiveSignature);
        }
        catch (Exception problem) when (problem is JsonException or IOException or UnauthorizedAccessException)
        {
            return null; // as good as one that does not fit
        }
    }

    [LoggerMessage(EventId = 5701, Level = LogLevel.Warning, Message = "{Archive} is not offered: it is not what {Signature} was made for. Pack it again, or remove the signature to sign it with this server's own key.")]
    private static partial void LogForeign(ILogger log, string archive, string signature);

    [GeneratedRegex(@"\Aagnes-(?<version>[0-9]+\.[0-9]+\.[0-9]+)-(?<rid>linux-x64|linux-arm64|osx-x64|osx-arm64|win-x64)\.(tar\.gz|zip)\z", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Name();
}

/// <summary>What <c>deploy/sign</c> writes beside an archive.</summary>
internal sealed record ArchiveSignature(string? Key, string? Signature);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ArchiveSignature))]
[JsonSerializable(typeof(LatestCli))]
internal sealed partial class DistributionJson : JsonSerializerContext;
