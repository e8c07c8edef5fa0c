using System.Text.Json;
using Agnes.Engine.Extracts;
using Agnes.Server.Platform.State;

namespace Agnes.Server.Platform.Registry;

/// <summary>A row of the registry as the Files connector reads it, which alone knows which files are meant.</summary>
internal static class FileTables
{
    /// <summary>For people: where the files are looked for.</summary>
    public static string PatternOf(TableRow row) =>
        string.Join('/', new[] { row.Bucket, row.SourceTable ?? (row.Bucket is null ? $"{row.Name}.*" : null) }.Where(step => !string.IsNullOrEmpty(step)));

    /// <summary>What has to lie below the root, each by itself: neither may lead out of it and back.</summary>
    public static IEnumerable<string> PathsOf(TableRow row) =>
        new[] { row.Bucket, row.SourceTable, PatternOf(row) }.OfType<string>().Select(path => path.Replace('*', '_').Replace('?', '_'));

    public static TableConfig ConfigOf(TableRow row) =>
        new(row.Id, row.Name, row.Bucket, row.SourceTable, row.Description, Settings: row.Settings is null ? null : JsonElement.Parse(row.Settings));
}
