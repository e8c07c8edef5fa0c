namespace Agnes.Connectors.Attached;

/// <summary>What the broker of an extract is told: the extract's file, where extensions lie, and what may be attached.</summary>
public sealed record AttachSettings(
    string Extract, string Extensions, IReadOnlyList<string> Allowed, IReadOnlyDictionary<string, string?> Tokens, IReadOnlyList<string> Urls)
{
    /// <summary>Of the engine that asks it: no kind of source, since the tables are of whatever kind they are registered with.</summary>
    public const string Kind = "attached";

    private const char Separator = ',';
    private const string TokenPrefix = "token.";

    /// <summary>As they go through the broker's pipe, secrets too.</summary>
    public Dictionary<string, string> ToOptions()
    {
        var options = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["extract"] = Extract,
            ["extensions"] = Extensions,
            ["allowed"] = string.Join(Separator, Allowed),
            ["token_envs"] = string.Join(Separator, Tokens.Keys),
            ["urls"] = string.Join(Separator, Urls),
        };
        foreach (var (name, value) in Tokens)
            if (value is not null) options[TokenPrefix + name] = value;
        return options;
    }

    internal static AttachSettings From(IReadOnlyDictionary<string, string> options) => new(
        options["extract"],
        options["extensions"],
        List(options["allowed"]),
        List(options["token_envs"]).ToDictionary(name => name, name => options.GetValueOrDefault(TokenPrefix + name), StringComparer.Ordinal),
        List(options["urls"]));

    private static string[] List(string text) => text.Split(Separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
