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
    private readonly Func<string, string?> _environment;

    private readonly SettingSet _settings;

    private SettingLayers(SettingSet settings, Func<string, string?> environment, SecretStore secrets, InstanceConfig instance)
    {
        _settings = settings;
        _environment = environment;
        Secrets = secrets;
        Instance = instance;
    }

    public SecretStore Secrets { get; }

    public InstanceConfig Instance { get; }

    public static SettingLayers Open(SettingSet settings, string configDir, string stateDir, Func<string, string?> environment) =>
        Open(settings, configDir, stateDir, environment, new SecretStore(stateDir));

    /// <summary>As they are now, which may be other than at the start.</summary>
    public static SettingLayers Open(ServerOptions options, SecretStore secrets) =>
        Open(options.Settings, options.ConfigDir, options.StateDir, options.Variables, secrets);

    private static SettingLayers Open(
        SettingSet settings, string configDir, string stateDir, Func<string, string?> environment, SecretStore secrets)
    {
        var instance = InstanceConfig.Load(settings, configDir, stateDir, environment, name => Stored(settings, secrets, name));
        var ignored = secrets.Names.Where(name => !settings.MayBeStored(name)).Select(name =>
            $"The stored secret {name} does not count: " +
            $"{(settings.IsOperators(name) ? "it is the operator's, in the environment" : "nothing reads it")}. " +
            $"Remove it: agnes admin secret remove {name}.");
        var unfit = secrets.Names
            .Where(settings.MayBeStored)
            .Select(name => settings.FaultOfVariable(name, secrets.Find(name)!))
            .OfType<string>()
            .Select(fault => $"{fault}: the stored secret of that name does not count.");
        return new SettingLayers(settings, environment, secrets, instance with { Problems = [.. instance.Problems, .. ignored, .. unfit] });
    }

    /// <summary>A secret that admins stored, if it is one that they may store, and is what the setting must be.</summary>
    public static string? Stored(SettingSet settings, SecretStore secrets, string name) =>
        settings.MayBeStored(name) && secrets.Find(name) is { } value && settings.FaultOfVariable(name, value) is null ? value : null;

    public string? Find(string name)
    {
        _settings.RefuseUndeclared(name);
        var setting = _settings.Find(name) ?? new Setting(null, name);
        return _settings.CredentialOf(name) is { } credential ? Find(credential, setting) : Locate(setting)?.Text;
    }

    /// <summary>Whose a secret's destination is: nothing of the operator's goes to one that admins chose.</summary>
    public SettingOwner OwnerOf(Credential credential) =>
        credential.Destination is [var first, ..] && Locate(first) is { } destination ? destination.Owner : SettingOwner.Operator;

    /// <summary>
    /// An admin's destination takes what admins set. One of the operator's takes the operator's port, and a secret from either, for whoever runs it
    /// knows both.
    /// </summary>
    private string? Find(Credential credential, Setting field)
    {
        var owner = OwnerOf(credential);
        SettingOwner? only = owner == SettingOwner.Admins || credential.Destination.Contains(field) ? owner : null;
        return Locate(field, credential.Destination.Length == 0 ? null : only)?.Text;
    }

    private (string Text, SettingOwner Owner)? Locate(Setting field, SettingOwner? only = null)
    {
        if (only != SettingOwner.Admins && Environment(field) is { } set) return (set, SettingOwner.Operator);
        if (only != SettingOwner.Operator)
        {
            if (FirstOf(field, name => Stored(_settings, Secrets, name)) is { } secret) return (secret, SettingOwner.Admins);
            if (field.By != SettableBy.Operator && Of(Instance.Admins, field) is { } over) return (over, SettingOwner.Admins);
        }

        return only != SettingOwner.Admins && Of(Instance.Operators, field) is { } text ? (text, SettingOwner.Operator) : null;
    }

    /// <summary>Of a setting with one name also when it is set to nothing, which says something for a few.</summary>
    private string? Environment(Setting field) => field.Variables is [var name] ? _environment(name) : FirstOf(field, _environment);

    private static string? FirstOf(Setting field, Func<string, string?> value) =>
        field.Variables.Select(value).FirstOrDefault(text => !string.IsNullOrWhiteSpace(text));

    private static string? Of(JsonObject file, Setting field) => field.Key is { } key ? InstanceConfig.TextAt(file, key) : null;
}
