using System.Text.Json.Nodes;
using Agnes.Server.Platform.Access;
using Agnes.Server.Platform.Registry;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Profiles;

/// <summary>A profile as it is kept.</summary>
internal static class ProfileText
{
    public static JsonObject Read(string text) => JsonNode.Parse(text)!.AsObject();

    public static string Write(JsonObject profile) => profile.ToJsonString();

    /// <summary>What a profile follows from, besides its code: the version's parts, and the primary key.</summary>
    public static string MarkOf(NamedTable table) => $"{table.Published!.PartsDigest} {KeyOf(table)}".TrimEnd();

    /// <summary>The columns of the registry's primary key, as the profile names them.</summary>
    public static string KeyOf(NamedTable table) => string.Join(',', KeyColumnsOf(table));

    public static IReadOnlyList<string> KeyColumnsOf(NamedTable table) => PrimaryKey.Columns(table.Row?.PrimaryKey) ?? [];
}
