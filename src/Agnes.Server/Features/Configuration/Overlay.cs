using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Engine.Limits;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Configuration;

/// <summary>The overlay's file: written whole, kept in its last ten forms, private.</summary>
internal static class Overlay
{
    private const int BackupsMax = 10;
    private const string BackupFolder = "config-backups";
    private static readonly SemaphoreSlim Alone = new(1, 1);
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LockPoll = TimeSpan.FromMilliseconds(50);

    public static string PathOf(ServerOptions options) => Path.Combine(options.StateDir, InstanceConfig.FileName);

    /// <summary>To be held from reading the file to writing it: no other request, and no other process, changes it meanwhile.</summary>
    /// <exception cref="IOException">Another process held it the whole time.</exception>
    public static async Task<IAsyncDisposable> AloneAsync(ServerOptions options, CancellationToken stop)
    {
        await Alone.WaitAsync(stop);
        try
        {
            return new Hold(await FileLock.TakeAsync($"{PathOf(options)}.lock", LockWait, LockPoll, stop));
        }
        catch
        {
            Alone.Release();
            throw;
        }
    }

    /// <summary>As it is, references unresolved. Answers 500 where it cannot be read, and so must not be written over.</summary>
    public static JsonObject Read(ServerOptions options)
    {
        try
        {
            return InstanceConfig.ReadFile(PathOf(options)) ?? [];
        }
        catch (FormatException fault)
        {
            throw new ProblemException(
                StatusCodes.Status500InternalServerError, $"The overlay cannot be read and is left as it is: {fault.Message}. Mend or remove {InstanceConfig.FileName} in the state directory.");
        }
    }

    /// <summary>Changes with every byte of the file, for <c>If-Match</c>.</summary>
    public static string Tag(ServerOptions options)
    {
        var path = PathOf(options);
        return $"\"{Convert.ToHexStringLower(SHA256.HashData(File.Exists(path) ? File.ReadAllBytes(path) : []))[..32]}\"";
    }

    /// <summary>Durable when it returns; what was there is kept aside.</summary>
    public static async Task WriteAsync(ServerOptions options, TimeProvider time, JsonObject overlay, CancellationToken stop)
    {
        var path = PathOf(options);
        if (File.Exists(path)) await KeepAsync(options, time, path, stop);
        var text = new StringBuilder("# Written by the server; lies over the operator's instance.yaml.\n");
        Write(text, overlay, 0);
        await PrivateFile.ReplaceAsync(path, text.ToString(), stop);
    }

    private static async Task KeepAsync(ServerOptions options, TimeProvider time, string path, CancellationToken stop)
    {
        var folder = Directory.CreateDirectory(Path.Combine(options.StateDir, BackupFolder)).FullName;
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var stamp = time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss.fffffff", CultureInfo.InvariantCulture);
        await PrivateFile.ReplaceAsync(Path.Combine(folder, $"instance.{stamp}.yaml"), await File.ReadAllTextAsync(path, stop), stop);
        foreach (var old in Directory.GetFiles(folder, "instance.*.yaml").Order(StringComparer.Ordinal).SkipLast(BackupsMax)) File.Delete(old);
        FileSystem.FlushFolder(folder);
    }

    /// <summary>Block mappings for people; texts as JSON strings, which YAML reads the same way.</summary>
    private static void Write(StringBuilder text, JsonObject item, int indent)
    {
        foreach (var (key, value) in item)
        {
            text.Append(' ', indent).Append(Text(key)).Append(':');
            if (value is JsonObject { Count: > 0 } inner)
            {
                text.Append('\n');
                Write(text, inner, indent + 2);
                continue;
            }

            text.Append(' ').Append(Flow(value)).Append('\n');
        }
    }

    /// <summary>Everything but a mapping, on one line: JSON is YAML.</summary>
    private static string Flow(JsonNode? value) => value switch
    {
        null => "null",
        JsonValue scalar when scalar.GetValueKind() == JsonValueKind.String => Quoted(scalar.GetValue<string>()),
        _ => value.ToJsonString(),
    };

    private static string Text(string key) => key.Length > 0 && key.All(character => char.IsAsciiLetterLower(character) || character == '_') && key is not ("null" or "true" or "false") ? key : Quoted(key);

    private static string Quoted(string text) => JsonSerializer.Serialize(text, Platform.Http.TextJson.Default.String);

    private sealed class Hold(FileStream file) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await file.DisposeAsync();
            Alone.Release();
        }
    }
}
