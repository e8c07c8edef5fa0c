using System.Text.Json.Nodes;
using Agnes.Server.Platform.Config;

namespace Agnes.Server.Features.Configuration;

/// <summary>
/// What other versions read and this one keeps: it can be edited, secrets in it are masked and say where they would be sent, and whoever
/// sets it is told that it has no effect. Whatever reads one of these takes its declaration along.
/// </summary>
internal static class Foreseen
{
    private const string Stays = "it does not leave the process";
    private const int LockSecondsMin = 60;
    private const int LockSecondsMax = 604_800;
    private const string Fixed = "its service has one address, which nobody sets";

    private static readonly Setting ModelKey = Secret("ai.api_key", "ANTHROPIC_API_KEY", "LLM_API_KEY");
    private static readonly Setting AnthropicKey = Secret("ai.anthropic_api_key") with { IsOffered = false };
    private static readonly Setting ModelAddress = Text("ai.base_url");
    private static readonly Setting MetadataToken = Secret("openmetadata.token", "OPENMETADATA_TOKEN");
    private static readonly Setting MetadataAddress = Text("openmetadata.url", "OPENMETADATA_URL");

    private static readonly Setting LockSeconds = (Whole("materialize.lock_ttl_seconds", 86_400) with { Means = "60 to 604800." })
        .Must($"between {LockSecondsMin} and {LockSecondsMax}", LockSecondsMin, LockSecondsMax);

    public static readonly SettingGroup Settings = new(
        "Read by other versions",
        [
            ModelKey, AnthropicKey, ModelAddress, MetadataToken, MetadataAddress,
            Hidden("telegram.bot_token", "TELEGRAM_BOT_TOKEN") with { Kind = "secret", NoDestination = Fixed },
            Hidden("auth.webapp_secret_key", "WEBAPP_SECRET_KEY") with { Kind = "secret", NoDestination = Stays },
            Choice("ai.provider", "anthropic", "anthropic", "openai_compat"),
            Text("ai.model"),
            Choice("ai.structured_output", "auto", "auto", "strict", "json"),
            Switch("ai.verify_ssl"),
            Whole("openmetadata.cache_ttl_seconds", 3600),
            Switch("openmetadata.verify_ssl"),
            Text("openmetadata.filter_tag"),
            Text("openmetadata.data_product"),
            Text("desktop.jwt_issuer") with { Default = "data-analyst" },
            Text("desktop.url_scheme") with { Default = "data-analyst" },
            LockSeconds,
            .. Memory(),
        ])
    {
        Credentials =
        [
            new("language model", [ModelKey, AnthropicKey], ModelAddress),
            new("OpenMetadata", [MetadataToken], MetadataAddress),
        ],
        Families = [new("AGNES_MARKETPLACE_", "_TOKEN", "Tokens of marketplaces.")],
    };

    private static IEnumerable<Setting> Memory()
    {
        const string memory = "corporate_memory";
        return
        [
            Choice($"{memory}.distribution_mode", "hybrid", "mandatory_only", "admin_curated", "hybrid"),
            Choice($"{memory}.approval_mode", "review_queue", "review_queue", "auto_publish", "threshold"),
            Whole($"{memory}.review_period_months", 6),
            Switch($"{memory}.notify_on_new_items"),
            Switch($"{memory}.sources.claude_local_md.enabled"),
            Real($"{memory}.sources.claude_local_md.confidence_base", 0.5),
            Switch($"{memory}.sources.session_transcripts.enabled"),
            Real($"{memory}.sources.session_transcripts.confidence_base", 0.6),
            Whole($"{memory}.sources.session_transcripts.max_turns_per_session", 100),
            List($"{memory}.sources.session_transcripts.detection_types"),
            Text($"{memory}.extraction.model"),
            Switch($"{memory}.extraction.sensitivity_check"),
            Switch($"{memory}.extraction.contradiction_check"),
            Map($"{memory}.confidence.base", "float"),
            Map($"{memory}.confidence.modifiers", "map"),
            Choice($"{memory}.confidence.decay.mode", "exponential", "exponential", "linear"),
            Whole($"{memory}.confidence.decay.half_life_months", 12),
            Real($"{memory}.confidence.decay.decay_rate_monthly", 0.02),
            Map($"{memory}.confidence.decay.floor", "float"),
            Switch($"{memory}.contradiction_detection.enabled"),
            Whole($"{memory}.contradiction_detection.max_candidates", 10),
            Switch($"{memory}.entity_resolution.enabled"),
            Map($"{memory}.entity_resolution.entities", "array"),
            Map($"{memory}.domain_owners", "array"),
            List($"{memory}.domains"),
            Map($"{memory}.groups", "object"),
        ];
    }

    private static Setting Text(string key, params string[] variables) => new(key, variables) { IsRead = false, By = SettableBy.Admins };

    private static Setting Secret(string key, params string[] variables) => Text(key, variables) with { Kind = "secret" };

    private static Setting Hidden(string key, params string[] variables) => Text(key, variables) with { IsOffered = false };

    private static Setting Switch(string key) => Of(key, "bool", true);

    private static Setting Whole(string key, int absent) => Of(key, "int", absent);

    private static Setting Real(string key, double absent) => Of(key, "float", absent);

    private static Setting List(string key) => Of(key, "array");

    private static Setting Map(string key, string of) => Of(key, "map") with { ItemKind = of };

    private static Setting Choice(string key, string absent, params string[] options) =>
        Of(key, "select", absent) with { Options = options };

    private static Setting Of(string key, string kind, JsonNode? absent = null) => Text(key) with { Kind = kind, Default = absent };
}
