using System.Text.Json;
using System.Text.Json.Serialization;

namespace Agnes.Server.Features.Demo;

/// <summary>What <c>demo.json</c> tells whoever tries the server out. It holds secrets: only its owner may read it.</summary>
public sealed record DemoContents(string Url, DemoAdmin Admin, IReadOnlyList<DemoAnalyst> Analysts);

public sealed record DemoAdmin(string Email, string Password, string Token);

/// <param name="Tables">Names of the tables that the groups were granted.</param>
public sealed record DemoAnalyst(string Email, string Password, string Token, IReadOnlyList<string> Groups, IReadOnlyList<string> Tables);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(DemoContents))]
internal sealed partial class DemoJson : JsonSerializerContext;

internal static class DemoFile
{
    public static string PathIn(string dataDir) => Path.Combine(dataDir, "demo.json");

    /// <returns>Null where there is none, or none that can be read: then everything in it is made anew.</returns>
    public static async Task<DemoContents?> ReadAsync(string path, CancellationToken cancellation)
    {
        if (!File.Exists(path)) return null;
        try
        {
            await using var file = File.OpenRead(path);
            return await JsonSerializer.DeserializeAsync(file, DemoJson.Default.DemoContents, cancellation);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Made with its final permissions, and in one piece: a reader finds all of it or nothing.</summary>
    public static async Task WriteAsync(string path, DemoContents contents, CancellationToken cancellation)
    {
        var draft = $"{path}.{Guid.NewGuid():N}.tmp";
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        await using (var file = new FileStream(draft, options))
        {
            await JsonSerializer.SerializeAsync(file, contents, DemoJson.Default.DemoContents, cancellation);
            file.Flush(flushToDisk: true);
        }
        File.Move(draft, path, overwrite: true);
    }
}
