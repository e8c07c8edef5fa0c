namespace Agnes.Server.Platform.Config;

/// <summary>Who is told when tables cannot be pulled. Nobody is, unless it is set.</summary>
public sealed record AlertOptions
{
    private const int SecretCharsMin = 16;

    /// <summary>By mail, whoever registered the table, as long as they are an admin.</summary>
    public bool ToOwners { get; init; }

    /// <summary>By mail, of all tables.</summary>
    public IReadOnlyList<string> To { get; init; } = [];

    /// <summary>Gets each alert as JSON. Whoever knows the address can write there, so it is a secret.</summary>
    public Uri? Webhook { get; init; }

    /// <summary>Signs what goes there; null: it is not signed.</summary>
    public string? WebhookSecret { get; init; }

    public bool IsOn => ToOwners || To.Count > 0 || Webhook is not null;

    private static readonly Setting Owners = new(null, "AGNES_ALERT_OWNERS")
    {
        Kind = "bool",
        Default = false,
        Means = "`1`: whoever registered a table, and is an admin, gets a mail when its scheduled pull fails, and when it works again.",
    };

    private static readonly Setting Others = new(null, "AGNES_ALERT_TO")
    {
        Example = "data@example.com",
        Means = "Addresses, separated by commas, that get such mails about all tables.",
    };

    private static readonly Setting Address = new(null, "AGNES_ALERT_WEBHOOK_URL")
    {
        Kind = "secret",
        NoDestination = "it is an address itself, and is sent nowhere",
        Means = "An address (`https://`, or `http://` on this machine) that gets the same as JSON.",
    };

    private static readonly Setting Secret = new(null, "AGNES_ALERT_WEBHOOK_SECRET")
    {
        Kind = "secret",
        NoDestination = "it signs, and is sent nowhere",
        Means = $"Signs what goes there (`X-Agnes-Signature`); at least {SecretCharsMin} characters.",
    };

    internal static readonly SettingGroup Settings = new("Alerts", Owners, Others, Address, Secret);

    /// <param name="find">A variable of the environment, nothing where it is empty.</param>
    /// <exception cref="OptionsException">A setting is not what it must be.</exception>
    public static AlertOptions From(Func<string, string?> find)
    {
        var secret = find(Secret.Name);
        if (secret is { Length: < SecretCharsMin }) throw new OptionsException($"{Secret.Name} must have at least {SecretCharsMin} characters.");
        return new AlertOptions
        {
            ToOwners = find(Owners.Name)?.ToLowerInvariant() is "1" or "true" or "yes",
            To = [.. (find(Others.Name) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Checked)],
            Webhook = find(Address.Name) is { } address ? CheckedAddress(address) : null,
            WebhookSecret = secret,
        };
    }

    /// <summary>Without what is secret.</summary>
    public override string ToString() => $"alerts: owners {ToOwners}, {To.Count} addresses, {(Webhook is null ? "no " : "")}webhook";

    private static string Checked(string address) => MailSender.Parse(address) is { Name: null } parsed
        ? parsed.Address
        : throw new OptionsException($"{Others.Name} holds '{address}', which is no e-mail address.");

    /// <summary>What is wrong is said without the address, which is a secret.</summary>
    private static Uri CheckedAddress(string address) =>
        Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.UserInfo.Length == 0
            && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))
                ? uri
                : throw new OptionsException($"{Address.Name} must be an address that begins with https:// (http:// only on this machine), without a user in it.");
}
