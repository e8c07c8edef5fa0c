using System.Globalization;
using System.Text.Json.Nodes;

namespace Agnes.Server.Platform.Config;

/// <param name="Says">What it must be, as the end of a sentence.</param>
public sealed record SettingRule(SettingField Field, string Says, Func<string, bool> Fits)
{
    /// <summary>For the start: null stays null.</summary>
    /// <param name="name">What the operator calls it.</param>
    /// <exception cref="OptionsException">It is not what it must be; only the operator's own values come this far.</exception>
    public string? Require(string name, string? value) =>
        value is null || Fits(value) ? value?.Trim() : throw new OptionsException($"{name} must be {Says}, not '{value}'.");

    /// <inheritdoc cref="Require"/>
    public int? Number(string name, string? value) => Require(name, value) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>
/// What a setting must be that admins can set and that the start looks at. The same rule refuses a value where it is written, and leaves it out at the start
/// where it was written before or by hand: what an admin can store never keeps the server from starting.
/// </summary>
public static class SettingRules
{
    private const int TokenDaysMax = 3650;
    private const int PortMax = 65_535;
    private const int LockSecondsMin = 60;
    private const int LockSecondsMax = 604_800;

    public static readonly SettingRule TokenDays = Whole(new("auth.max_pat_days", "AGNES_PAT_DAYS_MAX"), $"a number of days from 1 to {TokenDaysMax}", 1, TokenDaysMax);
    public static readonly SettingRule MailPort = Whole(new("email.smtp_port", "SMTP_PORT"), $"a number from 1 to {PortMax}", 1, PortMax);
    public static readonly SettingRule Everyone = new(new("auth.everyone_membership", "AGNES_EVERYONE_MEMBERSHIP"), "all or explicit", static text => text is "all" or "explicit");

    public static readonly IReadOnlyList<SettingRule> All =
    [
        TokenDays, MailPort, Everyone,
        Whole(new("materialize.lock_ttl_seconds"), $"between {LockSecondsMin} and {LockSecondsMax}", LockSecondsMin, LockSecondsMax),
    ];

    /// <summary>What a value under a dotted key would have to be; null where it may stay. Nothing, and a reference, is judged by what it gives.</summary>
    public static string? FaultOfKey(string key, JsonNode? value)
    {
        if (All.FirstOrDefault(rule => rule.Field.Key == key) is not { } rule || Text(value) is not { } text || References.Has(text)) return null;
        return rule.Fits(text) ? null : $"{key} must be {rule.Says}";
    }

    /// <summary>The same of a stored secret that stands for a variable.</summary>
    public static string? FaultOfVariable(string name, string value) =>
        All.FirstOrDefault(rule => rule.Field.Variables.Contains(name, StringComparer.Ordinal)) is { } rule && !rule.Fits(value) ? $"{name} must be {rule.Says}" : null;

    /// <summary>Takes out of a configuration what is not as it must be, and tells of each by its key.</summary>
    public static void LeaveOut(JsonObject configuration, Action<string> problem)
    {
        foreach (var path in All.Select(rule => rule.Field.Key).OfType<string>())
        {
            if (FaultOfKey(path, InstanceConfig.At(configuration, path)) is not { } fault) continue;
            problem(fault);
            var dot = path.LastIndexOf('.');
            ((JsonObject)InstanceConfig.At(configuration, path[..dot])!).Remove(path[(dot + 1)..]);
        }
    }

    private static string? Text(JsonNode? value) => value switch
    {
        null => null,
        JsonValue leaf => leaf.ToString() is { Length: > 0 } text ? text : null,
        _ => value.ToJsonString(),
    };

    private static SettingRule Whole(SettingField field, string says, int min, int max) => new(
        field,
        says,
        text => int.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out var number) && number >= min && number <= max);
}
