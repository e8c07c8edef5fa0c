using System.Collections.Frozen;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// Where a setting comes from: the environment, else the secrets that admins stored, else the key of <c>instance.yaml</c> that stands for it. One function for everything that reads
/// settings, so that no reader has an order of its own.
/// </summary>
public sealed class SettingLayers
{
    /// <summary>The variables that a key of <c>instance.yaml</c> can stand in for.</summary>
    public static readonly FrozenDictionary<string, string> KeyOf = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AGNES_ALLOWED_DOMAINS"] = "auth.allowed_domain",
        ["AGNES_ALLOW_ANY_DOMAIN"] = "auth.allow_any_domain",
        ["AGNES_PAT_DAYS_MAX"] = "auth.max_pat_days",
        ["AGNES_EVERYONE_MEMBERSHIP"] = "auth.everyone_membership",
        ["AGNES_HOME_ROUTE"] = "instance.home_route",
        ["AGNES_ALLOWED_PRIVATE_HOSTS"] = "security.allowed_private_hosts",
        ["SMTP_HOST"] = "email.smtp_host",
        ["SMTP_PORT"] = "email.smtp_port",
        ["SMTP_USER"] = "email.smtp_user",
        ["SMTP_PASSWORD"] = "email.smtp_password",
        ["SMTP_FROM"] = "email.from_address",
        ["EMAIL_FROM_ADDRESS"] = "email.from_address",
        ["DESKTOP_JWT_SECRET"] = "desktop.jwt_secret",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>What says who gets in, how and from where belongs to whoever runs the server: an admin's stored secret, or one that came with an import, must not change it.</summary>
    private static readonly string[] OperatorsPrefixes = ["AGNES_", "OIDC_", "GOOGLE_", "SEED_", "LOCAL_DEV_", "SCHEDULER_", "ASPNETCORE_", "DOTNET_", "LD_"];

    private static readonly FrozenSet<string> OperatorsNames = FrozenSet.ToFrozenSet(
        ["JWT_SECRET_KEY", "SESSION_SECRET", "DOMAIN", "SERVER_URL", "DATA_DIR", "STATE_DIR", "CONFIG_DIR", "CORS_ORIGINS", "DEBUG", "LOG_LEVEL", "URLS", "SMTP_USE_TLS", "PATH", "HOME"], StringComparer.Ordinal);

    private static readonly string[] AdminsPrefixes = ["AGNES_MARKETPLACE_"];

    private static readonly FrozenSet<string> AdminsNames = FrozenSet.ToFrozenSet(["GOOGLE_CLIENT_SECRET", "OIDC_CLIENT_SECRET", "GOOGLE_APPLICATION_CREDENTIALS"], StringComparer.Ordinal);

    private readonly Func<string, string?> _environment;

    private SettingLayers(Func<string, string?> environment, SecretStore secrets, InstanceConfig instance)
    {
        _environment = environment;
        Secrets = secrets;
        Instance = instance;
    }

    public SecretStore Secrets { get; }

    public InstanceConfig Instance { get; }

    public static SettingLayers Open(string configDir, string stateDir, Func<string, string?> environment)
    {
        var secrets = new SecretStore(stateDir);
        return new SettingLayers(environment, secrets, InstanceConfig.Load(configDir, stateDir, name => environment(name) is { Length: > 0 } value ? value : secrets.Find(name)));
    }

    /// <summary>Whether a variable counts only where the operator set it: in the environment, or in the key of <c>instance.yaml</c> that stands for it.</summary>
    public static bool IsOperators(string name)
    {
        if (AdminsNames.Contains(name) || AdminsPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal))) return false;
        return OperatorsNames.Contains(name) || OperatorsPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    public string? Find(string name)
    {
        if (_environment(name) is { } value) return value;
        if (!IsOperators(name) && Secrets.Find(name) is { } secret) return secret;
        return KeyOf.TryGetValue(name, out var key) ? Instance.Text(key) : null;
    }
}
