namespace Agnes.Server.Platform.Config;

/// <summary>What extracts of other programs may have attached by extensions of the engine, as whoever runs the server allows it.</summary>
public sealed record AttachOptions
{
    /// <summary>In a list that a variable holds.</summary>
    private const char Separator = ',';

    public IReadOnlyList<string> Extensions { get; init; } = [];

    /// <summary>Variables that hold tokens, with what is in them; null: not set.</summary>
    public IReadOnlyDictionary<string, string?> Tokens { get; init; } = new Dictionary<string, string?>();

    /// <summary>The only destinations.</summary>
    public IReadOnlyList<string> Urls { get; init; } = [];

    private static readonly Setting Allowed = new(null, "AGNES_REMOTE_ATTACH_EXTENSIONS")
    {
        Default = "keboola,bigquery",
        Means = "Extensions of DuckDB that extracts of other programs may name, with a comma between them; replaces the default.",
    };

    private static readonly Setting TokenEnvs = new(null, "AGNES_REMOTE_ATTACH_TOKEN_ENVS")
    {
        Default = "KBC_TOKEN,KBC_STORAGE_TOKEN,KEBOOLA_STORAGE_TOKEN,GOOGLE_APPLICATION_CREDENTIALS",
        Means = "Variables that such an extract may name as its token's; replaces the default.",
        NoDestination = "it names variables",
    };

    private static readonly Setting Destinations = new(null, "AGNES_REMOTE_ATTACH_URLS")
    {
        Otherwise = "the address in `KBC_STACK_URL`",
        Means = "Addresses that such an extract may lead to, with a comma between them: a token goes nowhere else.",
    };

    internal static readonly SettingGroup Settings = new("Extensions that extracts of other programs attach", Allowed, TokenEnvs, Destinations);

    /// <param name="find">A variable of the environment, nothing where it is empty.</param>
    /// <param name="variables">The operator's environment alone: an address that an admin set is given no token of the operator's.</param>
    public static AttachOptions From(Func<string, string?> find, Func<string, string?> variables) => new()
    {
        Extensions = List(find(Allowed.Name) ?? Allowed.Default!.GetValue<string>()),
        Tokens = List(find(TokenEnvs.Name) ?? TokenEnvs.Default!.GetValue<string>()).Distinct(StringComparer.Ordinal)
            .ToDictionary(name => name, name => Given(variables, name), StringComparer.Ordinal),
        Urls = List(find(Destinations.Name) ?? Given(variables, "KBC_STACK_URL") ?? ""),
    };

    private static string? Given(Func<string, string?> variables, string name) => variables(name) is { Length: > 0 } value ? value : null;

    private static string[] List(string text) => text.Split(Separator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
