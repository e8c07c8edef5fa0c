using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Configuration;

internal static class ShowServerConfig
{
    public static IResult Handle(HttpContext context, ServerOptions options, SecretStore secrets, SourceKinds kinds)
    {
        var config = SettingLayers.Open(options, secrets).Instance;
        var sections = new JsonObject();
        var raw = InstanceConfig.Merge(config.Static, config.Overlay);
        var editable = Sections.Editable(options.Settings, kinds);
        foreach (var name in editable)
        {
            sections[name] = Sections.Shown(options.Settings, raw[name] as JsonObject ?? [], name);
        }

        foreach (var kind in kinds.All)
        {
            if (sections["data_source"]![kind.Name] is not JsonObject shown) continue;
            foreach (var setting in kind.Settings.Where(setting => setting.IsShown)) shown.TryAdd(setting.Name, setting.Default!.DeepClone());
        }

        context.Response.Headers.ETag = Overlay.Tag(options);
        return JsonBody.Of(new JsonObject
        {
            ["sections"] = sections,
            ["editable_sections"] = Texts(editable),
            ["danger_sections"] = Texts(Sections.Dangerous),
            ["secret_key_patterns"] = Texts(Sections.SecretPatterns),
            ["known_fields"] = KnownFields.Of(options.Settings, kinds),
            ["problems"] = Texts(config.Problems),
            ["without_effect"] = Texts(options.Settings.Unread(raw)),
        });
    }

    private static JsonArray Texts(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode)text)]);
}

/// <summary>For the description: written by <see cref="ShowServerConfig"/>.</summary>
/// <param name="Sections">By name, what is set in each.</param>
/// <param name="KnownFields">By section, what a form offers.</param>
internal sealed record ServerConfigAnswer(
    JsonObject Sections, IReadOnlyList<string> EditableSections, IReadOnlyList<string> DangerSections,
    IReadOnlyList<string> SecretKeyPatterns,
    JsonObject KnownFields, IReadOnlyList<string> Problems, IReadOnlyList<string> WithoutEffect);
