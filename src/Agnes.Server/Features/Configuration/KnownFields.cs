using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Sources;

namespace Agnes.Server.Features.Configuration;

/// <summary>What optional keys mean and may hold: for the form that edits them, and for refusing what nobody could read later.</summary>
internal static class KnownFields
{
    /// <summary>By section; what is set for sources is theirs to say. What nothing reads yet says so: <c>"read":false</c>.</summary>
    public static JsonObject Of(SettingSet settings, SourceKinds kinds)
    {
        var all = new JsonObject { ["data_source"] = OfSources(kinds) };
        foreach (var setting in settings.Offered.Where(setting => !IsOfSources(setting.Key!))) Put(all, setting);
        return all;
    }

    private static bool IsOfSources(string key) => key.StartsWith("data_source.", StringComparison.Ordinal);

    private static JsonObject OfSources(SourceKinds kinds)
    {
        var main = kinds.Main.Select(kind => (JsonNode)kind.MainAs!).ToArray();
        var sources = new JsonObject { ["type"] = new JsonObject { ["kind"] = "select", ["options"] = new JsonArray(main), ["default"] = kinds.OfType(null)?.MainAs } };
        foreach (var kind in kinds.All.Where(kind => kind.Settings.Count > 0))
        {
            var fields = new JsonObject();
            foreach (var setting in kind.Settings.Where(setting => setting.IsOffered)) fields[setting.Name] = FieldOf(setting.Under($"data_source.{kind.Name}"));
            sources[kind.Name] = new JsonObject { ["kind"] = "object", ["fields"] = fields };
        }

        return sources;
    }

    /// <summary>Below its section; what lies deeper is in objects, as the form has them.</summary>
    private static void Put(JsonObject all, Setting setting)
    {
        var keys = setting.Key!.Split('.');
        if (all[keys[0]] is not JsonObject fields) all[keys[0]] = fields = [];
        foreach (var key in keys[1..^1])
        {
            fields[key] ??= new JsonObject { ["kind"] = "object", ["fields"] = new JsonObject() };
            fields = fields[key]!["fields"]!.AsObject();
        }

        fields.TryAdd(keys[^1], FieldOf(setting));
    }

    private static JsonObject FieldOf(Setting setting)
    {
        var field = setting.Field();
        if (!setting.IsRead) field["read"] = false;
        return field;
    }

    /// <summary>Adds a fault for each known key whose value is of another kind, or is one that the start would not take. Unknown keys, nulls, masks and references pass.</summary>
    public static void Check(SettingSet settings, JsonObject sections, SourceKinds kinds, RequestBody body)
    {
        var all = Of(settings, kinds);
        if (InstanceConfig.At(sections, "data_source.type") is JsonValue type && kinds.Named(type.ToString()) is { MainAs: { } main }) type.ReplaceWith(main);
        foreach (var (section, value) in sections)
        {
            if (value is JsonObject given && all[section] is JsonObject fields) Check(settings, given, fields, section, body);
        }
    }

    private static void Check(SettingSet settings, JsonObject given, JsonObject fields, string path, RequestBody body)
    {
        foreach (var (key, value) in given)
        {
            if (fields[key] is not JsonObject field || value is null) continue;
            var kind = field["kind"]!.GetValue<string>();
            if (kind == "object" && value is JsonObject inner && field["fields"] is JsonObject below)
            {
                Check(settings, inner, below, $"{path}.{key}", body);
            }
            else if (!Fits(kind, field, value)) body.Refuse("sections", $"{path}.{key} must be {Name(kind, field)}");
            else if (!Sections.IsMask(value) && settings.FaultOfKey($"{path}.{key}", value) is { } fault) body.Refuse("sections", fault);
        }
    }

    private static bool Fits(string kind, JsonObject field, JsonNode value)
    {
        var type = value.GetValueKind();
        if (type == JsonValueKind.String && (Sections.IsMask(value) || References.Has(value.GetValue<string>()))) return true;
        return kind switch
        {
            "string" or "secret" => type is JsonValueKind.String or JsonValueKind.Number,
            "bool" => type is JsonValueKind.True or JsonValueKind.False,
            "int" => type == JsonValueKind.Number && long.TryParse(value.ToJsonString(), out _),
            "float" => type == JsonValueKind.Number,
            "select" => type == JsonValueKind.String && field["options"]!.AsArray().Any(option => option!.GetValue<string>() == value.GetValue<string>()),
            "array" => type == JsonValueKind.Array,
            _ => type == JsonValueKind.Object,
        };
    }

    private static string Name(string kind, JsonObject field) => kind switch
    {
        "select" => $"one of {string.Join(", ", field["options"]!.AsArray())}",
        "int" => "a whole number",
        "float" => "a number",
        "bool" => "true or false",
        "array" => "a list",
        "object" or "map" => "a mapping",
        _ => "a text",
    };
}
