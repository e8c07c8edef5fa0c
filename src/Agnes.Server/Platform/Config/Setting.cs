using System.Globalization;
using System.Numerics;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Config;

/// <summary>Who may say what a setting is. Whatever nobody thought about is the operator's.</summary>
public enum SettableBy
{
    /// <summary>
    /// Whoever runs the server, in its environment or in their own <c>instance.yaml</c>. What admins say of it does not count.
    /// </summary>
    Operator,

    /// <summary>Admins too, by its key in the overlay, where a change is shown and confirmed; not as a stored secret.</summary>
    Overlay,

    /// <summary>Admins too, in the overlay or as a stored secret.</summary>
    Admins,
}

/// <summary>
/// One setting, declared once, by whoever reads it. The form, the keys that count, who may store it, its mask, the templates and the page
/// for operators follow from this: see <see cref="SettingSet"/>.
/// </summary>
/// <param name="Key">Of <c>instance.yaml</c>, dotted; null: there is none.</param>
/// <param name="Variables">Of the environment, in the order in which they are looked at.</param>
public sealed record Setting(string? Key, params string[] Variables)
{
    /// <summary>In the words of the configuration's form: string, int, float, bool, select, array, map, secret.</summary>
    public string Kind { get; init; } = "string";

    /// <summary>In one sentence, for the form, the templates and the page.</summary>
    public string? Means { get; init; }

    public JsonNode? Default { get; init; }

    /// <summary>What holds where it is not set, in words, if that is no value.</summary>
    public string? Otherwise { get; init; }

    /// <summary>What the template shows, where the default is no good example.</summary>
    public string? Example { get; init; }

    /// <summary>What a select may be.</summary>
    public IReadOnlyList<string> Options { get; init; } = [];

    /// <summary>The kind of what an array or a map holds.</summary>
    public string ItemKind { get; init; } = "string";

    public SettableBy By { get; init; }

    /// <summary>
    /// It names a file of the server's: admins have no files there, and what lies under a path of their choice may be what they
    /// uploaded.
    /// </summary>
    public bool IsFile { get; init; }

    /// <summary>False: another version reads it. It is kept and masked, and whoever sets it is told that it has no effect.</summary>
    public bool IsRead { get; init; } = true;

    /// <summary>False: it does not stand in the form, whoever may set it.</summary>
    public bool IsOffered { get; init; } = true;

    /// <summary>What it must be, where not anything goes.</summary>
    public SettingRule? Rule { get; init; }

    /// <summary>
    /// Of a secret that is sent nowhere that anybody could choose: why not. All others stand in a <see cref="Credential"/>.
    /// </summary>
    public string? NoDestination { get; init; }

    /// <summary>Of a key that is the operator's: what it does, for whoever is refused it.</summary>
    public string OperatorsBecause { get; init; } = "decides how the server runs";

    /// <summary>The key beside it whose value stands in the form where this one has none.</summary>
    public string? PlaceholderFrom { get; init; }

    /// <summary>The name to call it by.</summary>
    public string Name => Variables.Length > 0 ? Variables[0] : Key!;

    /// <summary>As a form is told.</summary>
    public JsonObject Field()
    {
        var field = new JsonObject { ["kind"] = Kind };
        if (Options.Count > 0) field["options"] = new JsonArray([.. Options.Select(option => (JsonNode)option)]);
        if (Kind == "array") field["item_kind"] = ItemKind;
        if (Kind == "map") (field["key_kind"], field["value_kind"]) = ("string", ItemKind);
        if (PlaceholderFrom is not null) field["placeholder_from"] = PlaceholderFrom;
        if (Default is not null) field["default"] = Default.DeepClone();
        if (Means is not null) field["hint"] = Means;
        return field;
    }

    /// <summary>A whole number with its bounds.</summary>
    /// <param name="what">As the sentence of a refusal calls it.</param>
    public Setting Between(long min, long max, string what = "a whole number") => Must($"{what} from {min} to {max}", min, max);

    /// <summary>An amount, of money or such, from zero on.</summary>
    public Setting UpTo(double max) => this with
    {
        Kind = "float",
        Rule = new(
            string.Create(CultureInfo.InvariantCulture, $"a number from 0 to {max}"),
            text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= 0 && number <= max),
    };

    /// <inheritdoc cref="Between"/>
    /// <param name="says">The whole end of that sentence.</param>
    public Setting Must(string says, long min, long max) => this with
    {
        Kind = "int",
        Rule = new(
            says,
            text => long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max),
    };

    /// <summary>The value, if it is what it must be; null stays null.</summary>
    /// <param name="name">What the operator calls it.</param>
    /// <exception cref="OptionsException">It is not; only the operator's own values come this far.</exception>
    public string? Require(string name, string? value) =>
        value is null || Rule is null || Rule.Fits(value)
            ? value?.Trim()
            : throw new OptionsException($"{name} must be {Rule.Says}, not '{value}'.");

    /// <summary>As it is set, by its first name; null where it is not.</summary>
    /// <exception cref="OptionsException">It is not what it must be.</exception>
    public int? GivenNumber(Func<string, string?> find) =>
        Require(Name, find(Name)) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;

    /// <inheritdoc cref="GivenNumber"/>
    /// <returns>Its default where it is not set.</returns>
    public int Number(Func<string, string?> find) => GivenNumber(find) ?? Default!.GetValue<int>();

    /// <summary>As it is set, by its first name. Its default where it is not set, or is not what it must be: that stops nobody.</summary>
    /// <typeparam name="T">Of the default too.</typeparam>
    /// <param name="problems">Gets what it must be, where it is not.</param>
    public T NumberOrDefault<T>(Func<string, string?> find, List<string>? problems = null)
        where T : INumber<T>
    {
        var absent = Default!.GetValue<T>();
        if (find(Name) is not { } text) return absent;
        if (Rule!.Fits(text)) return T.Parse(text, CultureInfo.InvariantCulture);
        problems?.Add(string.Create(CultureInfo.InvariantCulture, $"{Name} must be {Rule.Says}; {absent} holds."));
        return absent;
    }
}

/// <summary>
/// What a setting must be. The same rule refuses a value where it is written, and leaves it out at the start where it was written before or
/// by hand: what an admin can store never keeps the server from starting.
/// </summary>
/// <param name="Says">As the end of a sentence.</param>
public sealed record SettingRule(string Says, Func<string, bool> Fits);

/// <summary>Stored secrets of which there can be any number, each with a name of its own between the two.</summary>
public sealed record SettingFamily(string Prefix, string Ending, string Means)
{
    public bool Has(string name) => name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Ending, StringComparison.Ordinal);
}

/// <summary>What one part of the product reads.</summary>
/// <param name="Title">Over them in the templates and on the page.</param>
public sealed record SettingGroup(string Title, params Setting[] Settings)
{
    public IReadOnlyList<Credential> Credentials { get; init; } = [];

    public IReadOnlyList<SettingFamily> Families { get; init; } = [];
}

/// <summary>
/// Secrets, with where they are sent. What chose the destination decides which of them may go there: see <see cref="SettingLayers"/>.
/// </summary>
/// <param name="Destination">
/// The first says whose the destination is; the others, and whatever vouches for it, come from the same hand. Empty: nobody can choose it.
/// </param>
public sealed record Credential(string Name, Setting[] Secrets, params Setting[] Destination)
{
    /// <summary>Why there is no destination to choose.</summary>
    public string? NoDestination { get; init; }

    /// <summary>What goes along with the secrets and is none, such as a user's name.</summary>
    public Setting[] With { get; init; } = [];

    public IEnumerable<Setting> Fields => [.. Destination, .. Secrets, .. With];
}
