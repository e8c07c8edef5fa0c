using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// The keys of <c>instance.yaml</c> that something reads. A key that is not here is kept, since another version may read it, but has no effect, and whoever sets it is
/// told so.
/// </summary>
internal static class ReadKeys
{
    /// <summary>Of a variable, or a secret, that a key can stand in for.</summary>
    private static readonly IEnumerable<string> Standing =
    [
        .. SettingLayers.KeyOf.Values, "email.smtp_host", "email.smtp_port", "email.smtp_user", "email.smtp_password", "auth.google_client_secret", "desktop.jwt_secret",
    ];

    public static readonly FrozenSet<string> All = FrozenSet.ToFrozenSet(
        [
            .. Standing,
            "config_version",
            "instance.name", "instance.subtitle", "instance.sync_interval", "instance.brand", "instance.workspace_dir", "instance.admin_email",
            "data_source.type", "data_source.bigquery.project", "data_source.keboola.stack_url", "data_source.keboola.storage_token",
            "api.scan.max_limit", "api.scan.max_result_bytes", "api.scan.max_concurrent_per_user", "api.scan.max_daily_bytes_per_user", "api.scan.request_timeout_seconds",
        ],
        StringComparer.Ordinal);

    /// <summary>The dotted paths of all that is set and that nothing reads, in order. Nothing that is set to null, which takes a key away.</summary>
    public static IReadOnlyList<string> Unread(JsonObject root) => [.. Leaves(root, "").Where(path => !All.Contains(path)).Order(StringComparer.Ordinal)];

    private static IEnumerable<string> Leaves(JsonNode? node, string path) => node switch
    {
        null => [],
        JsonObject inner => inner.SelectMany(pair => Leaves(pair.Value, path.Length == 0 ? pair.Key : $"{path}.{pair.Key}")),
        _ => [path],
    };
}
