using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Agnes.Engine.Outbound;

namespace Agnes.Server.Platform.Config;

/// <summary>
/// Where a setting comes from: the environment, else the secrets that admins stored, else the overlay, else the operator's <c>instance.yaml</c>.
/// One function for everything that reads settings, so that no reader has an order of its own. What belongs to a secret comes from one hand: where
/// admins chose the destination, nothing of the operator's goes there.
/// </summary>
public sealed class SettingLayers
{
    /// <summary>The variables that a key of <c>instance.yaml</c> can stand in for. Of secrets and what goes with them <see cref="Credentials"/> says it.</summary>
    public static readonly FrozenDictionary<string, string> KeyOf = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["AGNES_ALLOWED_DOMAINS"] = "auth.allowed_domain",
        ["AGNES_ALLOW_ANY_DOMAIN"] = "auth.allow_any_domain",
        ["AGNES_PAT_DAYS_MAX"] = "auth.max_pat_days",
        ["AGNES_EVERYONE_MEMBERSHIP"] = "auth.everyone_membership",
        ["AGNES_HOME_ROUTE"] = "instance.home_route",
        ["AGNES_ALLOWED_PRIVATE_HOSTS"] = "security.allowed_private_hosts",
        ["SMTP_FROM"] = "email.from_address",
        ["EMAIL_FROM_ADDRESS"] = "email.from_address",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Keys that open the machine's own network: the overlay does not count.</summary>
    public static readonly FrozenSet<string> OperatorsKeys = FrozenSet.ToFrozenSet(["security.allowed_private_hosts"], StringComparer.Ordinal);

    /// <summary>What says who gets in, how and from where belongs to whoever runs the server: an admin's stored secret, or one that came with an import, must not change it.</summary>
    private static readonly string[] OperatorsPrefixes = ["AGNES_", "OIDC_", "GOOGLE_", "SEED_", "LOCAL_DEV_", "SCHEDULER_", "ASPNETCORE_", "DOTNET_", "LD_", "SSL_CERT_"];

    private static readonly FrozenSet<string> OperatorsNames = FrozenSet.ToFrozenSet(
        ["JWT_SECRET_KEY", "SESSION_SECRET", "DOMAIN", "SERVER_URL", "DATA_DIR", "STATE_DIR", "CONFIG_DIR", "CORS_ORIGINS", "DEBUG", "LOG_LEVEL", "URLS", "SMTP_USE_TLS", "SMTP_CA_FILE", "PATH", "HOME"], StringComparer.Ordinal);

    /// <summary>Files and folders of the server's, by how the product calls what names them. Those that are called otherwise are declared: <see cref="SettingField.IsFile"/>.</summary>
    private static readonly string[] PathEndings = ["_FILE", "_PATH", "_DIR"];

    /// <summary>Secrets of connections, which are read for their connection alone.</summary>
    public const string ConnectionPrefix = "AGNES_CONNECTION_";

    /// <summary>Tokens of marketplaces, each with a name of its own between the two.</summary>
    private static readonly (string Prefix, string Ending) Marketplaces = ("AGNES_MARKETPLACE_", "_TOKEN");

    private static readonly FrozenSet<string> AdminsNames = FrozenSet.ToFrozenSet(["GOOGLE_CLIENT_SECRET", "OIDC_CLIENT_SECRET"], StringComparer.Ordinal);

    private readonly Func<string, string?> _environment;

    private SettingLayers(Func<string, string?> environment, SecretStore secrets, InstanceConfig instance)
    {
        _environment = environment;
        Secrets = secrets;
        Instance = instance;
    }

    public SecretStore Secrets { get; }

    public InstanceConfig Instance { get; }

    public static SettingLayers Open(string configDir, string stateDir, Func<string, string?> environment) =>
        Open(configDir, stateDir, environment, new SecretStore(stateDir));

    /// <summary>As they are now, which may be other than at the start.</summary>
    public static SettingLayers Open(ServerOptions options, SecretStore secrets) =>
        Open(options.ConfigDir, options.StateDir, options.Variables, secrets);

    private static SettingLayers Open(string configDir, string stateDir, Func<string, string?> environment, SecretStore secrets)
    {
        var instance = InstanceConfig.Load(configDir, stateDir, environment, name => Stored(secrets, name));
        var ignored = OperatorsKeys
            .Where(key => InstanceConfig.At(instance.Admins, key) is not null)
            .Select(key => $"{key} of the overlay does not count: it is the operator's, in the environment or in the file below {configDir}.")
            .Concat(secrets.Names.Where(name => !MayBeStored(name)).Select(name =>
                $"The stored secret {name} does not count: {(IsOperators(name) ? "it is the operator's, in the environment" : "nothing reads it")}. " +
                $"Remove it: agnes admin secret remove {name}."));
        var unfit = secrets.Names
            .Where(MayBeStored)
            .Select(name => SettingRules.FaultOfVariable(name, secrets.Find(name)!))
            .OfType<string>()
            .Select(fault => $"{fault}: the stored secret of that name does not count.");
        return new SettingLayers(environment, secrets, instance with { Problems = [.. instance.Problems, .. ignored, .. unfit] });
    }

    /// <summary>The names that admins may store something under, but for the tokens of marketplaces.</summary>
    public static IEnumerable<string> Storable =>
        Credentials.All.SelectMany(credential => credential.Fields).SelectMany(setting => setting.Variables).Concat(KeyOf.Keys).Where(MayBeStored).Order(StringComparer.Ordinal);

    /// <summary>A secret that admins stored, if it is one that they may store, and is what the setting must be.</summary>
    public static string? Stored(SecretStore secrets, string name) =>
        MayBeStored(name) && secrets.Find(name) is { } value && SettingRules.FaultOfVariable(name, value) is null ? value : null;

    /// <summary>Whether admins may store something under a name: what is declared, and not the operator's. A setting that nobody thought of here is neither.</summary>
    public static bool MayBeStored(string name) => !IsOperators(name) && (IsMarketplaces(name) || IsConnections(name) || Credentials.Find(name) is not null || KeyOf.ContainsKey(name));

    /// <summary>Whether a variable counts only where the operator set it: in the environment, or in the key of <c>instance.yaml</c> that stands for it.</summary>
    public static bool IsOperators(string name)
    {
        if (Credentials.Find(name)?.Field.IsFile is true || PathEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal))) return true;
        if (AdminsNames.Contains(name) || IsMarketplaces(name) || IsConnections(name)) return false;
        return OperatorsNames.Contains(name) || OperatorsPrefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal));
    }

    public string? Find(string name)
    {
        if (Credentials.Find(name) is { } found) return Find(found.Of, found.Field);
        Credentials.RefuseUndeclared(name);
        return Locate(new SettingField(KeyOf.GetValueOrDefault(name), name))?.Text;
    }

    /// <summary>Whose a secret's destination is: nothing of the operator's goes to one that admins chose.</summary>
    public SettingOwner OwnerOf(Credential credential) =>
        credential.Destination is [var first, ..] && Locate(first) is { } destination ? destination.Owner : SettingOwner.Operator;

    /// <summary>
    /// An admin's destination takes what admins set. One of the operator's takes the operator's port, and a secret from either, for whoever runs it
    /// knows both.
    /// </summary>
    private string? Find(Credential credential, SettingField field)
    {
        var owner = OwnerOf(credential);
        SettingOwner? only = owner == SettingOwner.Admins || credential.Destination.Contains(field) ? owner : null;
        return Locate(field, credential.Destination.Length == 0 ? null : only)?.Text;
    }

    private (string Text, SettingOwner Owner)? Locate(SettingField field, SettingOwner? only = null)
    {
        if (only != SettingOwner.Admins && Environment(field) is { } set) return (set, SettingOwner.Operator);
        if (only != SettingOwner.Operator)
        {
            if (FirstOf(field, name => Stored(Secrets, name)) is { } secret) return (secret, SettingOwner.Admins);
            if (!OperatorsKeys.Contains(field.Key ?? "") && Of(Instance.Admins, field) is { } over) return (over, SettingOwner.Admins);
        }

        return only != SettingOwner.Admins && Of(Instance.Operators, field) is { } text ? (text, SettingOwner.Operator) : null;
    }

    /// <summary>Of a setting with one name also when it is set to nothing, which says something for a few.</summary>
    private string? Environment(SettingField field) => field.Variables is [var name] ? _environment(name) : FirstOf(field, _environment);

    private static bool IsConnections(string name) => name.StartsWith(ConnectionPrefix, StringComparison.Ordinal);

    private static bool IsMarketplaces(string name) =>
        name.StartsWith(Marketplaces.Prefix, StringComparison.Ordinal) && name.EndsWith(Marketplaces.Ending, StringComparison.Ordinal);

    private static string? FirstOf(SettingField field, Func<string, string?> value) =>
        field.Variables.Select(value).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

    private static string? Of(JsonObject file, SettingField field) => field.Key is { } key ? InstanceConfig.TextAt(file, key) : null;
}
