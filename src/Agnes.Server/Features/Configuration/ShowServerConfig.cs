using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;

namespace Agnes.Server.Features.Configuration;

internal static class ShowServerConfig
{
    private const long MaterializeBytesDefault = 10_737_418_240;
    private const long ScanBytesDefault = 5_368_709_120;

    public static IResult Handle(HttpContext context, ServerOptions options, SecretStore secrets)
    {
        var config = SettingLayers.Open(options, secrets).Instance;
        var sections = new JsonObject();
        var raw = InstanceConfig.Merge(config.Static, config.Overlay);
        foreach (var name in Sections.Editable)
        {
            sections[name] = Sections.Shown(raw[name] as JsonObject ?? [], name);
        }

        if (sections["data_source"]!["bigquery"] is JsonObject bigQuery)
        {
            bigQuery.TryAdd("max_bytes_per_materialize", MaterializeBytesDefault);
            bigQuery.TryAdd("bq_max_scan_bytes", ScanBytesDefault);
        }

        context.Response.Headers.ETag = Overlay.Tag(options);
        return JsonBody.Of(new JsonObject
        {
            ["sections"] = sections,
            ["editable_sections"] = Texts(Sections.Editable),
            ["danger_sections"] = Texts(Sections.Dangerous),
            ["secret_key_patterns"] = Texts(Sections.SecretPatterns),
            ["known_fields"] = KnownFields.All.DeepClone(),
            ["problems"] = Texts(config.Problems),
            ["without_effect"] = Texts(ReadKeys.Unread(raw)),
        });
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}
