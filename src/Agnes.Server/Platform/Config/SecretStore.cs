using System.Text;
using System.Text.RegularExpressions;
using Agnes.Engine.Limits;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// Secrets that admins hand over: <c>KEY=VALUE</c> lines in <c>.env_overlay</c> of the state directory, readable by the server alone. What the real environment sets wins.
/// They are kept in memory and never put into the process's environment, so that child processes do not inherit them.
/// </summary>
public sealed partial class SecretStore
{
    public const string FileName = ".env_overlay";
    private const int ValueCharsMax = 8_192;
    private const int SecretsMax = 500;
    private const int FileBytesMax = 4 << 20;
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(50);
    private readonly string _path;
    private volatile IReadOnlyDictionary<string, string> _values;

    public SecretStore(string stateDir)
    {
        _path = Path.Combine(stateDir, FileName);
        _values = Read(_path);
    }

    /// <summary>In order; never the values.</summary>
    public IReadOnlyList<string> Names => [.. _values.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Another object once something has been stored or removed: for whoever keeps what was made with a secret.</summary>
    internal object Version => _values;

    public string? Find(string name) => _values.GetValueOrDefault(name);

    /// <summary>Why a name or a value cannot be kept, or null. A line end in a value would set another variable.</summary>
    public static string? Fault(string name, string value)
    {
        if (!NameShape().IsMatch(name)) return "The name must be upper-case letters, digits and underscores, beginning with a letter, at most 64.";
        if (value.Length > ValueCharsMax) return $"The value must have at most {ValueCharsMax} characters.";
        return value.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0 ? "The value must not hold a line end." : null;
    }

    /// <summary>Stores a secret, or removes it when the value is blank. Durable when it returns.</summary>
    /// <exception cref="ArgumentException">See <see cref="Fault"/>.</exception>
    /// <exception cref="IOException">Another process holds the file, or it cannot be written.</exception>
    public async Task SetAsync(string name, string value, CancellationToken stop)
    {
        value = value.Trim();
        if (Fault(name, value) is { } fault) throw new ArgumentException(fault, nameof(value));
        await using var alone = await FileLock.TakeAsync($"{_path}.lock", LockWait, LockPoll, stop);
        var values = new SortedDictionary<string, string>(new Dictionary<string, string>(Read(_path), StringComparer.Ordinal), StringComparer.Ordinal);
        if (value.Length == 0) values.Remove(name);
        else values[name] = value;
        if (values.Count > SecretsMax) throw new ArgumentException($"There can be at most {SecretsMax} secrets.", nameof(name));
        await PrivateFile.ReplaceAsync(_path, string.Concat(values.Select(pair => $"{pair.Key}={pair.Value}\n")), stop);
        _values = values;
    }

    private static Dictionary<string, string> Read(string path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!File.Exists(path) || new FileInfo(path).Length > FileBytesMax) return values;
        foreach (var line in File.ReadAllLines(path))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || line.TrimStart().StartsWith('#')) continue;
            values[line[..equals].Trim()] = line[(equals + 1)..].Trim();
        }

        return values;
    }

    [GeneratedRegex(@"\A[A-Z][A-Z0-9_]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameShape();
}

/// <summary>Files that nobody else on the machine may read.</summary>
internal static class PrivateFile
{
    /// <summary>Replaces the file at once or not at all; it is private from its first byte.</summary>
    public static async Task ReplaceAsync(string path, string text, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var draft = $"{path}.{Environment.ProcessId}.tmp";
        File.Delete(draft);
        try
        {
            await WriteNewAsync(draft, text, stop);
            WriteRight.Demand();
            FileSystem.Replace(draft, path);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    public static async Task WriteNewAsync(string path, string text, CancellationToken stop)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using var file = new FileStream(path, options);
        await file.WriteAsync(Encoding.UTF8.GetBytes(text), stop);
    }
}

/// <summary>Keeps other processes out of a file while it is changed.</summary>
internal static class FileLock
{
    /// <exception cref="IOException">Another process held it the whole time.</exception>
    public static async Task<FileStream> TakeAsync(string path, TimeSpan wait, TimeSpan poll, CancellationToken stop)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        for (var waited = TimeSpan.Zero; ; waited += poll)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (waited < wait)
            {
                await Task.Delay(poll, stop);
            }
        }
    }
}
