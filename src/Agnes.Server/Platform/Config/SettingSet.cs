using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Agnes.Protocol;

namespace Agnes.Server.Platform.Config;

/// <summary>All settings that there are, by both their names, and what follows from how they are declared.</summary>
public sealed class SettingSet
{
    /// <summary>
    /// Files and folders of the server's, by how the product calls what names them; those that are called otherwise say so: <see
    /// cref="Setting.IsFile"/>.
    /// </summary>
    private static readonly string[] PathEndings = ["_FILE", "_PATH", "_DIR"];

    private readonly FrozenDictionary<string, Setting> _byName;
    private readonly FrozenDictionary<string, Credential> _credentials;
    private readonly FrozenSet<string> _readKeys;
    private readonly FrozenSet<string> _operatorsKeys;
    private readonly FrozenSet<string> _secrets;

    /// <exception cref="InvalidOperationException">A declaration would let out a secret, or let in a path.</exception>
    public SettingSet(IEnumerable<SettingGroup> groups)
    {
        Groups = [.. groups];
        All = [.. Groups.SelectMany(group => group.Settings)];
        Families = [.. Groups.SelectMany(group => group.Families)];
        Credentials =
        [
            .. Groups.SelectMany(group => group.Credentials),
            .. All.Where(setting => setting.NoDestination is not null)
                .Select(setting => new Credential(setting.Name, [setting]) { NoDestination = setting.NoDestination }),
        ];
        _byName = All.SelectMany(NamesOf, (setting, name) => (name, setting)).DistinctBy(pair => pair.name, StringComparer.Ordinal)
            .ToFrozenDictionary(pair => pair.name, pair => pair.setting, StringComparer.Ordinal);
        _credentials = Credentials.SelectMany(credential => credential.Fields, (credential, field) => (credential, field))
            .SelectMany(pair => NamesOf(pair.field), (pair, name) => (name, pair.credential))
            .ToFrozenDictionary(pair => pair.name, pair => pair.credential, StringComparer.Ordinal);
        _secrets = Credentials.SelectMany(credential => credential.Secrets).SelectMany(NamesOf).ToFrozenSet(StringComparer.Ordinal);
        _readKeys = KeysOf(All.Where(setting => setting.IsRead));
        _operatorsKeys = KeysOf(All.Where(setting => setting.By == SettableBy.Operator));
        foreach (var setting in All) RefuseUnsafe(setting);
    }

    /// <summary>Nothing is declared: whatever sounds like a secret cannot be read.</summary>
    public static SettingSet None { get; } = new([]);

    public IReadOnlyList<SettingGroup> Groups { get; }

    public IReadOnlyList<Setting> All { get; }

    public IReadOnlyList<SettingFamily> Families { get; }

    /// <summary>What stands in the form of the configuration.</summary>
    public IEnumerable<Setting> Offered => All.Where(setting => setting is { IsOffered: true, Key: not null });

    /// <summary>Every secret, each with its destination or the reason why it has none.</summary>
    public IReadOnlyList<Credential> Credentials { get; }

    /// <summary>By a variable or a key; null: nobody declared it.</summary>
    public Setting? Find(string variableOrKey) => _byName.GetValueOrDefault(variableOrKey);

    /// <summary>What a variable or a key belongs to; null: it has nothing to do with a secret.</summary>
    public Credential? CredentialOf(string variableOrKey) => _credentials.GetValueOrDefault(variableOrKey);

    /// <summary>Whether what stands under a dotted key is a secret, declared or by the sound of its name.</summary>
    public bool IsSecretKey(string path) => path.Split('.').Any(Redactor.IsSecretKey) || _secrets.Contains(path);

    /// <summary>Whether something reads the key. One that nothing reads is kept, since another version may read it.</summary>
    public bool IsRead(string key) => _readKeys.Contains(key);

    /// <summary>Whether the overlay does not count for the key.</summary>
    public bool IsOperatorsKey(string key) => _operatorsKeys.Contains(key);

    /// <summary>
    /// Whether admins may store something under a variable's name: it is declared to be theirs. A setting that nobody thought of is
    /// not.
    /// </summary>
    public bool MayBeStored(string name) =>
        !IsPath(name) && (Families.Any(family => family.Has(name)) || Find(name) is { By: SettableBy.Admins });

    /// <summary>
    /// Whether a variable counts only where the operator set it: in the environment, or in the key of <c>instance.yaml</c> that
    /// stands for it.
    /// </summary>
    public bool IsOperators(string name) => !MayBeStored(name) && (IsPath(name) || Find(name) is not null);

    /// <summary>The names that admins may store something under, but for those of families.</summary>
    public IEnumerable<string> Storable => All.SelectMany(setting => setting.Variables).Where(MayBeStored).Order(StringComparer.Ordinal);

    /// <summary>
    /// What a value under a dotted key would have to be; null where it may stay. Nothing, and a reference, is judged by what it
    /// gives.
    /// </summary>
    public string? FaultOfKey(string key, JsonNode? value) =>
        Find(key) is { Rule: { } rule } && Text(value) is { } text && !References.Has(text) && !rule.Fits(text)
            ? $"{key} must be {rule.Says}"
            : null;

    /// <summary>The same of a stored secret that stands for a variable.</summary>
    public string? FaultOfVariable(string name, string value) =>
        Find(name) is { Rule: { } rule } && !rule.Fits(value) ? $"{name} must be {rule.Says}" : null;

    /// <summary>Takes out of a configuration what is not as it must be, and tells of each by its key.</summary>
    public void LeaveOut(JsonObject configuration, Action<string> problem)
    {
        foreach (var key in _byName.Keys.Order(StringComparer.Ordinal))
        {
            if (FaultOfKey(key, InstanceConfig.At(configuration, key)) is not { } fault) continue;
            problem(fault);
            Remove(configuration, key);
        }
    }

    /// <summary>Takes out of an overlay what is the operator's, and tells of each by its key.</summary>
    public void LeaveOutOperators(JsonObject overlay, Action<string> problem)
    {
        foreach (var key in _operatorsKeys.Where(key => InstanceConfig.At(overlay, key) is not null))
        {
            problem(key);
            Remove(overlay, key);
        }
    }

    /// <summary>
    /// The dotted paths of all that is set and that nothing reads, in order. Nothing that is set to null, which takes a key away.
    /// </summary>
    public IReadOnlyList<string> Unread(JsonObject root) =>
        [.. Leaves(root, "").Where(path => !IsRead(path)).Order(StringComparer.Ordinal)];

    /// <exception cref="InvalidOperationException">The name sounds like a secret's, and nobody said where it may be sent.</exception>
    public void RefuseUndeclared(string name, bool isSecret = false)
    {
        if (!(isSecret || IsSecretKey(name)) || CredentialOf(name) is not null) return;
        throw new InvalidOperationException(
            $"{name} is a secret: declare where it is sent, in a {nameof(Credential)} or by {nameof(Setting.NoDestination)}.");
    }

    private void RefuseUnsafe(Setting setting)
    {
        var names = NamesOf(setting).ToList();
        if (names.Count == 0) throw new InvalidOperationException("A setting has no name.");
        foreach (var name in names) RefuseUndeclared(name, setting.Kind == "secret");
        if (setting.By == SettableBy.Operator || !(setting.IsFile || setting.Variables.Any(IsPath))) return;
        throw new InvalidOperationException($"{setting.Name} names a file of the server's: it is the operator's.");
    }

    private static FrozenSet<string> KeysOf(IEnumerable<Setting> settings) =>
        settings.Select(setting => setting.Key).OfType<string>().ToFrozenSet(StringComparer.Ordinal);

    private bool IsPath(string name) =>
        Find(name) is { IsFile: true } || PathEndings.Any(ending => name.EndsWith(ending, StringComparison.Ordinal));

    private static IEnumerable<string> NamesOf(Setting setting) =>
        setting.Key is { } key ? setting.Variables.Append(key) : setting.Variables;

    private static void Remove(JsonObject root, string key)
    {
        var dot = key.LastIndexOf('.');
        (dot < 0 ? root : (JsonObject)InstanceConfig.At(root, key[..dot])!).Remove(key[(dot + 1)..]);
    }

    private static IEnumerable<string> Leaves(JsonNode? node, string path) => node switch
    {
        null => [],
        JsonObject inner => inner.SelectMany(pair => Leaves(pair.Value, path.Length == 0 ? pair.Key : $"{path}.{pair.Key}")),
        _ => [path],
    };

    private static string? Text(JsonNode? value) => value switch
    {
        null => null,
        JsonValue leaf => leaf.ToString() is { Length: > 0 } text ? text : null,
        _ => value.ToJsonString(),
    };
}
