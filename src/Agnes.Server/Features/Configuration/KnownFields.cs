using System.Text.Json;
using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;
using Agnes.Server.Platform.Http;
using Agnes.Server.Platform.Registry.Sources;

namespace Agnes.Server.Features.Configuration;

/// <summary>What optional keys mean and may hold: for the form that edits them, and for refusing what nobody could read later.</summary>
internal static class KnownFields
{
    /// <summary>By section; what is set for sources is theirs to say. What nothing reads yet says so: <c>"read":false</c>.</summary>
    public static JsonObject Of(SourceKinds kinds)
    {
        var all = Own.DeepClone().AsObject();
        var main = kinds.Main.Select(kind => (JsonNode)kind.MainAs!).ToArray();
        var sources = new JsonObject { ["type"] = new JsonObject { ["kind"] = "select", ["options"] = new JsonArray(main), ["default"] = kinds.OfType(null)?.MainAs } };
        foreach (var kind in kinds.All.Where(kind => kind.Settings.Count > 0))
        {
            var fields = new JsonObject(kind.Settings.Select(setting => KeyValuePair.Create(setting.Name, (JsonNode?)setting.Field())));
            sources[kind.Name] = new JsonObject { ["kind"] = "object", ["fields"] = fields };
        }

        all["data_source"] = sources;
        return Marked(all);
    }

    private static readonly JsonObject Own = JsonNode.Parse(
        """
        {
          "instance": {
            "name": {"kind":"string","default":"AI Data Analyst","hint":"The deployment's name."},
            "subtitle": {"kind":"string","hint":"A line beside it."},
            "brand": {"kind":"string","default":"Agnes","hint":"What texts for agents call the product."},
            "workspace_dir": {"kind":"string","placeholder_from":"brand","hint":"The folder that the set-up text makes; letters and digits."},
            "admin_email": {"kind":"string","hint":"Whom people and agents ask."},
            "sync_interval": {"kind":"string","default":"1 hour","hint":"In words; for texts only."},
            "home_route": {"kind":"string","default":"/dashboard","hint":"Where people land after signing in."}
          },
          "auth": {
            "allowed_domain": {"kind":"string","hint":"Domains, with commas between, whose addresses may sign in through an issuer."},
            "allow_any_domain": {"kind":"bool","default":false,"hint":"Let in whoever the issuer knows."},
            "everyone_membership": {"kind":"select","options":["all","explicit"],"default":"all","hint":"Whether every active user is in the group Everyone."},
            "max_pat_days": {"kind":"int","hint":"The longest life of a personal access token."}
          },
          "security": {
            "allowed_private_hosts": {"kind":"array","item_kind":"string","hint":"Hosts in configured addresses that may be in a private network. Set by whoever runs the server alone."}
          },
          "email": {
            "from_address": {"kind":"string"}, "smtp_host": {"kind":"string"}, "smtp_port": {"kind":"int","default":587},
            "smtp_user": {"kind":"string"}, "smtp_password": {"kind":"secret"}
          },
          "data_source": {},
          "ai": {
            "provider": {"kind":"select","options":["anthropic","openai_compat"],"default":"anthropic"}, "api_key": {"kind":"secret"}, "base_url": {"kind":"string"},
            "model": {"kind":"string"}, "structured_output": {"kind":"select","options":["auto","strict","json"],"default":"auto"}, "verify_ssl": {"kind":"bool","default":true}
          },
          "openmetadata": {
            "url": {"kind":"string"}, "token": {"kind":"secret"}, "cache_ttl_seconds": {"kind":"int","default":3600}, "verify_ssl": {"kind":"bool","default":true},
            "filter_tag": {"kind":"string"}, "data_product": {"kind":"string"}
          },
          "desktop": {"jwt_issuer": {"kind":"string","default":"data-analyst"}, "jwt_secret": {"kind":"secret"}, "url_scheme": {"kind":"string","default":"data-analyst"}},
          "materialize": {"lock_ttl_seconds": {"kind":"int","default":86400,"hint":"60 to 604800."}},
          "corporate_memory": {
            "distribution_mode": {"kind":"select","options":["mandatory_only","admin_curated","hybrid"],"default":"hybrid"},
            "approval_mode": {"kind":"select","options":["review_queue","auto_publish","threshold"],"default":"review_queue"},
            "review_period_months": {"kind":"int","default":6}, "notify_on_new_items": {"kind":"bool","default":true},
            "sources": {"kind":"object","fields":{
              "claude_local_md": {"kind":"object","fields":{"enabled":{"kind":"bool","default":true},"confidence_base":{"kind":"float","default":0.5}}},
              "session_transcripts": {"kind":"object","fields":{"enabled":{"kind":"bool","default":true},"confidence_base":{"kind":"float","default":0.6},"max_turns_per_session":{"kind":"int","default":100},
                "detection_types":{"kind":"array","item_kind":"string"}}}}},
            "extraction": {"kind":"object","fields":{"model":{"kind":"string"},"sensitivity_check":{"kind":"bool","default":true},"contradiction_check":{"kind":"bool","default":true}}},
            "confidence": {"kind":"object","fields":{"base":{"kind":"map","key_kind":"string","value_kind":"float"},"modifiers":{"kind":"map","key_kind":"string","value_kind":"map"},
              "decay":{"kind":"object","fields":{"mode":{"kind":"select","options":["exponential","linear"],"default":"exponential"},"half_life_months":{"kind":"int","default":12},"decay_rate_monthly":{"kind":"float","default":0.02},
                "floor":{"kind":"map","key_kind":"string","value_kind":"float"}}}}},
            "contradiction_detection": {"kind":"object","fields":{"enabled":{"kind":"bool","default":true},"max_candidates":{"kind":"int","default":10}}},
            "entity_resolution": {"kind":"object","fields":{"enabled":{"kind":"bool","default":true},"entities":{"kind":"map","key_kind":"string","value_kind":"array"}}},
            "domain_owners": {"kind":"map","key_kind":"string","value_kind":"array"}, "domains": {"kind":"array","item_kind":"string"}, "groups": {"kind":"map","key_kind":"string","value_kind":"object"}
          }
        }
        """)!.AsObject();

    private static JsonObject Marked(JsonObject sections)
    {
        foreach (var (section, fields) in sections) Mark(fields!.AsObject(), section);
        return sections;

        static void Mark(JsonObject fields, string path)
        {
            foreach (var (key, field) in fields)
            {
                if (field!["fields"] is JsonObject below) Mark(below, $"{path}.{key}");
                else if (!ReadKeys.All.Contains($"{path}.{key}")) field["read"] = false;
            }
        }
    }

    /// <summary>Adds a fault for each known key whose value is of another kind, or is one that the start would not take. Unknown keys, nulls, masks and references pass.</summary>
    public static void Check(JsonObject sections, SourceKinds kinds, RequestBody body)
    {
        var all = Of(kinds);
        if (InstanceConfig.At(sections, "data_source.type") is JsonValue type && kinds.Named(type.ToString()) is { MainAs: { } main }) type.ReplaceWith(main);
        foreach (var (section, value) in sections)
        {
            if (value is JsonObject given && all[section] is JsonObject fields) Check(given, fields, section, body);
        }
    }

    private static void Check(JsonObject given, JsonObject fields, string path, RequestBody body)
    {
        foreach (var (key, value) in given)
        {
            if (fields[key] is not JsonObject field || value is null) continue;
            var kind = field["kind"]!.GetValue<string>();
            if (kind == "object" && value is JsonObject inner && field["fields"] is JsonObject below) Check(inner, below, $"{path}.{key}", body);
            else if (!Fits(kind, field, value)) body.Refuse("sections", $"{path}.{key} must be {Name(kind, field)}");
            else if (!Sections.IsMask(value) && SettingRules.FaultOfKey($"{path}.{key}", value) is { } fault) body.Refuse("sections", fault);
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
