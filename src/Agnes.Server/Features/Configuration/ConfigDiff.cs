using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Configuration;

/// <summary>What changes, one row a leaf, by dotted path. Values of secrets are masked; that one changed is not.</summary>
internal static class ConfigDiff
{
    public static IReadOnlyList<JsonObject> Of(SettingSet settings, JsonObject before, JsonObject after)
    {
        var rows = new List<JsonObject>();
        Add(settings, rows, "", before, after);
        return rows;
    }

    private static void Add(SettingSet settings, List<JsonObject> rows, string path, JsonNode? before, JsonNode? after)
    {
        if (JsonNode.DeepEquals(before, after)) return;
        if ((before is null or JsonObject) && after is JsonObject changed && (before is not null || changed.Count > 0))
        {
            var was = before as JsonObject ?? [];
            foreach (var key in was.Select(pair => pair.Key).Union(changed.Select(pair => pair.Key)).Order(StringComparer.Ordinal))
            {
                Add(settings, rows, path.Length == 0 ? key : $"{path}.{key}", was[key], changed[key]);
            }

            return;
        }

        rows.Add(new JsonObject
        {
            ["path"] = path,
            ["before"] = Sections.Written(settings, before, path),
            ["after"] = Sections.Written(settings, after, path),
        });
    }
}
